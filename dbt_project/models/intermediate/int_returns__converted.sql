{#- A return converts at the rate of its order's day, so that a full refund cancels to the cent; an orphan at its own.
    A return counts when its order does and it has a rate; while the order line is not known, it is an orphan. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'return_line_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with changed_lines as (

    select changed.source_system, changed.line_id
    from {{ changed_rows('known_at', ref('int_order_lines__converted')) }} as changed
    union all
    select lines.source_system, lines.line_id
    from {{ ref('int_order_lines__converted') }} as lines
    where lines.order_date in (select rates.valid_date from ({{ changed_rates() }}) as rates)

),

returns as (

    select
        source_system, return_line_id, original_line_id, customer_ref, business_date as return_date, net_amount,
        cost_amount, currency, batch_id, source_line, known_from, known_to
    from {{ ref('stg_sales__return_lines') }}
    {%- if is_incremental() %}
    where (source_system, return_line_id) in (
        select returns.source_system, returns.return_line_id
        from {{ ref('stg_sales__return_lines') }} as returns
        inner join changed_lines
            on returns.source_system = changed_lines.source_system
            and returns.original_line_id = changed_lines.line_id
    )
        or {{ of_changed_records(ref('stg_sales__return_lines'), 'return_line_id', 'business_date') }}
    {%- endif %}

),

lines as (

    select
        source_system, line_id, order_id, customer_ref as order_customer_ref, order_date,
        uncounted_reason as order_uncounted_reason, known_from, known_to
    from {{ ref('int_order_lines__converted') }}

),

known as (

    {{ beside_parent(
        'returns', [
            'source_system', 'return_line_id', 'customer_ref', 'return_date', 'net_amount', 'cost_amount', 'currency',
            'batch_id', 'source_line',
        ],
        'lines', ['order_id', 'order_customer_ref', 'order_date', 'order_uncounted_reason'],
        'returns.original_line_id = lines.line_id'
    ) }}

),

rated as (

    {{ with_rates('known', 'coalesce(known.order_date, known.return_date)', [
        'source_system', 'return_line_id', 'customer_ref', 'return_date', 'net_amount', 'cost_amount', 'currency', 'batch_id',
        'source_line', 'order_id', 'order_customer_ref', 'order_date', 'order_uncounted_reason',
    ]) }}

)

select
    source_system,
    return_line_id,
    order_id,
    coalesce(customer_ref, order_customer_ref) as customer_ref,
    order_date,
    return_date,
    order_id is null as is_orphan,
    order_uncounted_reason is null and rate is not null as is_counted,
    case
        when order_uncounted_reason is not null then order_uncounted_reason
        when rate is null then 'no_fx_rate'
    end as uncounted_reason,
    currency,
    rate,
    {{ converted('net_amount', 'rate') }} as net_amount,
    {{ converted('cost_amount', 'rate') }} as cost_amount,
    {{ money(converted('net_amount', 'rate') ~ ' - ' ~ converted('cost_amount', 'rate')) }} as margin_amount,
    net_amount as net_amount_original,
    batch_id,
    source_line,
    known_from,
    known_to
from rated
