{#- A return converts at the rate of its order's day, so that a full refund cancels to the cent; an orphan at its own.
    A return counts when its order does; an orphan always. While the order line is not known, the return is an orphan. -#}
with returns as (

    select
        source_system, return_line_id, original_line_id, customer_ref, business_date as return_date, net_amount,
        cost_amount, currency, known_from as version_from, known_to as version_to
    from {{ ref('stg_sales__return_lines') }}

),

matched as (

    select
        returns.source_system,
        returns.return_line_id,
        returns.version_from,
        returns.version_to,
        lines.order_id,
        lines.customer_ref,
        lines.order_date,
        lines.is_counted,
        greatest(returns.version_from, lines.known_from) as known_from,
        least(returns.version_to, lines.known_to) as known_to
    from returns
    inner join {{ ref('int_order_lines__converted') }} as lines
        on returns.source_system = lines.source_system
        and returns.original_line_id = lines.line_id
        and returns.version_from < lines.known_to
        and lines.known_from < returns.version_to

),

orphans as (

    {{ unmatched_knowledge('returns', 'matched', ['source_system', 'return_line_id']) }}

),

known as (

    select
        source_system, return_line_id, version_from, order_id, customer_ref, order_date, is_counted,
        false as is_orphan, known_from, known_to
    from matched

    union all

    select
        source_system, return_line_id, version_from, null as order_id, null as customer_ref, null as order_date,
        true as is_counted, true as is_orphan, known_from, known_to
    from orphans

),

fx as (

    select currency, valid_date, rate from {{ ref('int_fx_rates__daily') }}

),

converted as (

    select
        returns.source_system,
        returns.return_line_id,
        known.order_id,
        coalesce(returns.customer_ref, known.customer_ref) as customer_ref,
        returns.return_date,
        known.is_orphan,
        known.is_counted,
        returns.currency,
        {{ rate_to_reporting('returns.currency', 'fx.rate') }} as rate,
        returns.net_amount as net_amount_original,
        returns.cost_amount as cost_amount_original,
        known.known_from,
        known.known_to
    from known
    inner join returns
        on known.source_system = returns.source_system
        and known.return_line_id = returns.return_line_id
        and known.version_from = returns.version_from
    left join fx
        on returns.currency = fx.currency
        and coalesce(known.order_date, returns.return_date) = fx.valid_date

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
    {{ converted('net_amount_original', 'rate') }} as net_amount,
    {{ converted('cost_amount_original', 'rate') }} as cost_amount,
    {{ money(converted('net_amount_original', 'rate') ~ ' - ' ~ converted('cost_amount_original', 'rate')) }} as margin_amount,
    net_amount_original,
    known_from,
    known_to
from converted
