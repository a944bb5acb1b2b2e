{#- What a customer's lines of a year were of, on each as-of date: how many categories, how many that others bought and it
    did not, and the category and brand with the largest net amount of it (ties: by name). -#}
with dates as (

    {{ dates_of_window('365d', [
        'category_count_365d', 'whitespace_category_count', 'favourite_category', 'favourite_brand', 'favourite_brand_rate_365d',
    ]) }}

),

sold as (

    select
        dates.as_of_date, dates.known_at, lines.source_system, lines.customer_ref, lines.product_id,
        sum(lines.net_amount) as net_amount
    from {{ ref('int_order_lines__converted') }} as lines
    inner join dates
        on lines.order_date > dates.before_date
        and lines.order_date <= dates.as_of_date
        and lines.known_from <= dates.known_at
        and lines.known_to > dates.known_at
    where lines.is_counted
    group by dates.as_of_date, dates.known_at, lines.source_system, lines.customer_ref, lines.product_id

),

bought as (

    select
        sold.as_of_date, identity.customer_id, products.category_l1 as category, products.brand,
        sum(sold.net_amount) as net_amount
    from sold
    inner join {{ ref('stg_sales__products') }} as products
        on sold.source_system = products.source_system
        and sold.product_id = products.product_id
        and products.known_from <= sold.known_at
        and products.known_to > sold.known_at
    left join {{ ref('int_customers__identity') }} as identity
        on sold.source_system = identity.source_system
        and sold.customer_ref = identity.source_id
        and identity.family = 'sales'
        and identity.valid_from <= sold.as_of_date
        and identity.valid_to > sold.as_of_date
    group by sold.as_of_date, identity.customer_id, products.category_l1, products.brand

),

offered as (

    select as_of_date, count(distinct category) as category_count from bought group by as_of_date

),

kinds as (

    select
        as_of_date, customer_id, 'category' as kind, category as name, sum(net_amount) as net_amount
    from bought
    where category is not null
    group by as_of_date, customer_id, category

    union all

    select as_of_date, customer_id, 'brand' as kind, brand as name, sum(net_amount) as net_amount
    from bought
    where brand is not null
    group by as_of_date, customer_id, brand

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
    where customer_id is not null
    group by as_of_date, customer_id

)

select
    population.as_of_date,
    population.customer_id,
    {{ delivered_or_unknown('coalesce(chosen.category_count, 0)', ['sales_product']) }} as category_count_365d,
    {{ delivered_or_unknown('coalesce(offered.category_count, 0) - coalesce(chosen.category_count, 0)', ['sales_product']) }}
        as whitespace_category_count,
    chosen.favourite_category,
    chosen.favourite_brand,
    {{ rate_of('chosen.brand_amount', 'chosen.branded_amount') }} as favourite_brand_rate_365d
from {{ ref('int_customers__population') }} as population
inner join dates on population.as_of_date = dates.as_of_date
inner join {{ ref('int_tables__delivered') }} as delivered on population.as_of_date = delivered.as_of_date
left join offered on population.as_of_date = offered.as_of_date
left join chosen
    on population.as_of_date = chosen.as_of_date
    and population.customer_id = chosen.customer_id
