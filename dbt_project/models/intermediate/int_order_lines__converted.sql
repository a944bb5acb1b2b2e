{#- A line is known while both it and its order are: the two knowledge intervals are intersected, so that a changed
    order retracts its lines and brings them back as they are now. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'line_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with lines as (

    select
        source_system, line_id, order_id, product_id, quantity, gross_amount, discount_amount, net_amount,
        cost_amount, batch_id, source_line, known_from, known_to
    from {{ ref('stg_sales__order_lines') }}
    {%- if is_incremental() %}
    where (source_system, line_id) in (
        select lines.source_system, lines.line_id
        from {{ ref('stg_sales__order_lines') }} as lines
        where {{ changed_since('known_at', 'lines') }}
            or {{ of_changed_records(ref('int_orders__counted'), 'order_id') }}
    )
    {%- endif %}

),

orders as (

    select
        source_system, order_id, customer_ref, order_date, is_counted, uncounted_reason, currency, rate, known_from,
        known_to
    from {{ ref('int_orders__counted') }}

),

converted as (

    select
        lines.source_system,
        lines.line_id,
        lines.order_id,
        lines.product_id,
        orders.customer_ref,
        orders.order_date,
        orders.is_counted,
        orders.uncounted_reason,
        orders.currency,
        orders.rate,
        lines.quantity,
        {{ converted('lines.gross_amount', 'orders.rate') }} as gross_amount,
        {{ converted('lines.discount_amount', 'orders.rate') }} as discount_amount,
        {{ converted('lines.net_amount', 'orders.rate') }} as net_amount,
        {{ converted('lines.cost_amount', 'orders.rate') }} as cost_amount,
        lines.net_amount as net_amount_original,
        lines.batch_id,
        lines.source_line,
        greatest(lines.known_from, orders.known_from) as known_from,
        least(lines.known_to, orders.known_to) as known_to
    from lines
    inner join orders
        on lines.source_system = orders.source_system
        and lines.order_id = orders.order_id
        and lines.known_from < orders.known_to
        and orders.known_from < lines.known_to

)

select
    source_system,
    line_id,
    order_id,
    product_id,
    customer_ref,
    order_date,
    is_counted,
    uncounted_reason,
    currency,
    rate,
    quantity,
    gross_amount,
    discount_amount,
    net_amount,
    cost_amount,
    {{ money('net_amount - cost_amount') }} as margin_amount,
    net_amount_original,
    batch_id,
    source_line,
    known_from,
    known_to
from converted
