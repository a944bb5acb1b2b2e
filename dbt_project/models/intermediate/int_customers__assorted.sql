{#- What a customer's lines of a year were of, as intervals of as-of dates: how many categories, and the category and brand with
    the largest net amount of it (ties: by name). A run that goes on from an earlier date looks again at the customers that have
    moved since. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where(gone_with_moved_customers()) }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('int_customers__moved') }}
with dates as (

    {{ dates_of_window('365d', ['category_count_365d', 'favourite_category', 'favourite_brand', 'favourite_brand_rate_365d']) }}

),

accounts as (

    select source_system, source_id, customer_id, valid_from, valid_to
    from {{ ref('int_customers__identity') }}
    where family = 'sales'
        {%- if is_incremental() %}
        and customer_id in (select moved.customer_id from {{ ref('int_customers__moved') }} as moved)
        {%- endif %}

),

sold as (

    select
        dates.as_of_date, dates.known_at, accounts.customer_id, lines.source_system, lines.product_id,
        sum(lines.net_amount) as net_amount
    from {{ ref('int_order_lines__converted') }} as lines
    inner join dates
        on {{ known_in_window('lines', 'order_date') }}
    inner join accounts
        on lines.source_system = accounts.source_system
        and lines.customer_ref = accounts.source_id
        and accounts.valid_from <= dates.as_of_date
        and accounts.valid_to > dates.as_of_date
    where lines.is_counted
    group by dates.as_of_date, dates.known_at, accounts.customer_id, lines.source_system, lines.product_id

),

bought as (

    select
        sold.as_of_date, sold.customer_id, products.category_l1 as category, products.brand,
        sum(sold.net_amount) as net_amount
    from sold
    inner join {{ ref('stg_sales__products') }} as products
        on sold.source_system = products.source_system
        and sold.product_id = products.product_id
        and products.known_from <= sold.known_at
        and products.known_to > sold.known_at
    group by sold.as_of_date, sold.customer_id, products.category_l1, products.brand

),

kinds as (

    {% for kind in ['category', 'brand'] %}
    select as_of_date, customer_id, '{{ kind }}' as kind, {{ kind }} as name, sum(net_amount) as net_amount
    from bought
    where {{ kind }} is not null
    group by as_of_date, customer_id, {{ kind }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

ranked as (

    select
        kinds.*,
        row_number() over (partition by as_of_date, customer_id, kind order by net_amount desc, name asc) as nth,
        sum(net_amount) over (partition by as_of_date, customer_id, kind) as total
    from kinds

),

chosen as (

    select
        as_of_date, customer_id,
        count(case when kind = 'category' then 1 end) as category_count,
        max(case when kind = 'category' and nth = 1 then name end) as favourite_category,
        max(case when kind = 'brand' and nth = 1 then name end) as favourite_brand,
        max(case when kind = 'brand' and nth = 1 then net_amount end) as brand_amount,
        max(case when kind = 'brand' and total > 0 then total end) as branded_amount
    from ranked
    group by as_of_date, customer_id

)

select
    chosen.customer_id,
    chosen.as_of_date as valid_from,
    ordered.next_date as valid_to,
    chosen.category_count as category_count_365d,
    chosen.favourite_category,
    chosen.favourite_brand,
    {{ rate_of('chosen.brand_amount', 'chosen.branded_amount') }} as favourite_brand_rate_365d
from chosen
inner join {{ ref('int_run_dates__ordered') }} as ordered on chosen.as_of_date = ordered.as_of_date
