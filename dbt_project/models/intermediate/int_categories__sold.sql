{#- How many categories the house sold in the year up to each as-of date. -#}
with dates as (

    {{ dates_of_window('365d', ['whitespace_category_count']) }}

),

sold as (

    select distinct dates.as_of_date, dates.known_at, lines.source_system, lines.product_id
    from {{ ref('int_order_lines__converted') }} as lines
    inner join dates
        on {{ known_in_window('lines', 'order_date') }}
    where lines.is_counted

)

select sold.as_of_date, count(distinct products.category_l1) as category_count
from sold
inner join {{ ref('stg_sales__products') }} as products
    on sold.source_system = products.source_system
    and sold.product_id = products.product_id
    and products.known_from <= sold.known_at
    and products.known_to > sold.known_at
group by sold.as_of_date
