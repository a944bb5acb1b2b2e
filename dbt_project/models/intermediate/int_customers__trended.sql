{#- What a customer's last twelve whole calendar months brought in on each as-of date, and how steadily. A month without trade
    brought nothing; who had no trade in any of them has no row. -#}
with dates as (

    select
        as_of_date,
        {{ months_end('as_of_date') }} as end_date,
        {{ twelve_months_before(months_end('as_of_date')) }} as start_date
    from {{ dates_needing(['purchase_stability_rate_365d', 'trend_amount_365d']) }} as dates

),

months as (

    select
        dates.as_of_date,
        trade.customer_id,
        {{ month_number('trade.event_date') }} - {{ month_number('dates.start_date') }} as place,
        sum(trade.net_amount) as net_amount
    from {{ ref('int_customer_days') }} as trade
    inner join dates
        on trade.valid_from <= dates.as_of_date
        and trade.valid_to > dates.as_of_date
        and trade.event_date >= dates.start_date
        and trade.event_date < dates.end_date
    group by
        dates.as_of_date, trade.customer_id,
        {{ month_number('trade.event_date') }} - {{ month_number('dates.start_date') }}

),

totals as (

    select
        as_of_date,
        customer_id,
        sum(net_amount) as total,
        sum(place * net_amount) as weighted_total,
        sum({{ in_units('net_amount') }}) as unit_total,
        sum({{ in_units('net_amount') }} * {{ in_units('net_amount') }}) as unit_square_total
    from months
    group by as_of_date, customer_id

),

varied as (

    select
        totals.*,
        {{ variation_of(months_of_a_year(), 'unit_total', 'unit_square_total') }} as variation_rate
    from totals

)

select
    as_of_date,
    customer_id,
    {{ steadiness_of('variation_rate') }} as purchase_stability_rate_365d,
    {{ monthly_slope('total', 'weighted_total') }} as trend_amount_365d
from varied
