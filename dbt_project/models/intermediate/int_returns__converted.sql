{#- A return converts at the rate of its order's day, so that a full refund cancels to the cent; an orphan at its own.
    A return counts when its order does; an orphan always. -#}
{{ config(materialized='view') }}

with returns as (

    select
        source_system, return_line_id, original_line_id, customer_ref, business_date, net_amount, cost_amount, currency,
        known_from, known_to
    from {{ ref('stg_sales__return_lines') }}

),

order_lines as (

    select source_system, line_id, order_id, customer_ref, order_date, is_counted, known_from, known_to
    from {{ ref('int_order_lines__converted') }}

),

matched as (

    select
        returns.source_system,
        returns.return_line_id,
        order_lines.order_id,
        coalesce(returns.customer_ref, order_lines.customer_ref) as customer_ref,
        returns.business_date as return_date,
        coalesce(order_lines.order_date, returns.business_date) as rate_date,
        order_lines.line_id is null as is_orphan,
        coalesce(order_lines.is_counted, true) as is_counted,
        returns.currency,
        returns.net_amount as net_amount_original,
        returns.cost_amount as cost_amount_original,
        greatest(returns.known_from, coalesce(order_lines.known_from, returns.known_from)) as known_from,
        least(returns.known_to, coalesce(order_lines.known_to, returns.known_to)) as known_to
    from returns
    left join order_lines
        on returns.source_system = order_lines.source_system
        and returns.original_line_id = order_lines.line_id
        and returns.known_from < order_lines.known_to
        and order_lines.known_from < returns.known_to

),

fx as (

    select currency, valid_from, valid_to, rate from {{ ref('int_fx_rates__filled') }}

),

converted as (

    select
        matched.*,
        fx.rate,
        {{ converted('matched.net_amount_original', 'fx.rate') }} as net_amount,
        {{ converted('matched.cost_amount_original', 'fx.rate') }} as cost_amount
    from matched
    left join fx
        on matched.currency = fx.currency
        and matched.rate_date >= fx.valid_from
        and matched.rate_date < fx.valid_to

)

select
    source_system,
    return_line_id,
    order_id,
    customer_ref,
    return_date,
    is_orphan,
    is_counted,
    currency,
    rate,
    net_amount,
    cost_amount,
    {{ money('net_amount - cost_amount') }} as margin_amount,
    net_amount_original,
    known_from,
    known_to
from converted
