{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ delete_where('(source_system, order_id) in (select source_system, order_id from ' ~ ref('int_orders__touched') ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}

with release as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }} where is_release_date

),

touched as (

    select source_system, order_id from {{ ref('int_orders__touched') }}

),

orders as (

    select
        orders.source_system, orders.order_id, orders.customer_ref, orders.order_date, orders.status, orders.is_counted,
        orders.uncounted_reason, orders.channel, orders.entity_id, orders.currency
    from {{ ref('int_orders__counted') }} as orders
    inner join touched on orders.source_system = touched.source_system and orders.order_id = touched.order_id
    inner join release
        on orders.order_date <= release.as_of_date
        and orders.known_from <= release.known_at
        and orders.known_to > release.known_at

),

lines as (

    select
        lines.source_system,
        lines.order_id,
        count(*) as line_count,
        sum(lines.gross_amount) as gross_amount,
        sum(lines.discount_amount) as discount_amount,
        sum(lines.net_amount) as net_amount,
        sum(lines.margin_amount) as margin_amount,
        max(case when lines.rate is not null and lines.margin_amount is null then 1 else 0 end) as has_costless_line,
        sum(lines.net_amount_original) as net_amount_original
    from {{ ref('int_order_lines__converted') }} as lines
    inner join touched on lines.source_system = touched.source_system and lines.order_id = touched.order_id
    inner join release
        on lines.known_from <= release.known_at
        and lines.known_to > release.known_at
    group by lines.source_system, lines.order_id

),

returned as (

    select
        returns.source_system,
        returns.order_id,
        -sum(returns.net_amount) as returned_amount
    from {{ ref('int_returns__converted') }} as returns
    inner join touched on returns.source_system = touched.source_system and returns.order_id = touched.order_id
    inner join release
        on returns.return_date <= release.as_of_date
        and returns.known_from <= release.known_at
        and returns.known_to > release.known_at
    where returns.order_id is not null
    group by returns.source_system, returns.order_id

),

identity as (

    select source_system, source_id, customer_id from {{ ref('customer_identity') }}

)

select
    orders.source_system,
    orders.order_id,
    identity.customer_id,
    case
        when identity.customer_id is not null then null
        when orders.customer_ref is null then 'no_customer_given'
        else 'unknown_customer'
    end as unattributed_reason,
    orders.order_date,
    orders.status,
    orders.is_counted,
    orders.uncounted_reason,
    orders.channel,
    orders.entity_id,
    orders.currency,
    cast(coalesce(lines.line_count, 0) as bigint) as line_count,
    {{ money('coalesce(lines.gross_amount, 0)') }} as gross_amount,
    {{ money('coalesce(lines.discount_amount, 0)') }} as discount_amount,
    {{ money('coalesce(lines.net_amount, 0)') }} as net_amount,
    {{ money('coalesce(lines.net_amount_original, 0)') }} as net_amount_original,
    {{ money('lines.margin_amount') }} as margin_amount,
    coalesce(lines.has_costless_line, 0) = 1 as has_costless_line,
    {{ money('coalesce(returned.returned_amount, 0)') }} as returned_amount
from orders
left join lines
    on orders.source_system = lines.source_system
    and orders.order_id = lines.order_id
left join returned
    on orders.source_system = returned.source_system
    and orders.order_id = returned.order_id
left join identity
    on orders.source_system = identity.source_system
    and orders.customer_ref = identity.source_id
