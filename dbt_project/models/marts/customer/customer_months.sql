{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ delete_where('customer_id in (select customer_id from ' ~ ref('int_customers__touched') ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}

with release as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }} where is_release_date

),

accounts as (

    select identity.source_system, identity.source_id, identity.customer_id
    from {{ ref('customer_identity') }} as identity
    inner join {{ ref('int_customers__touched') }} as touched on identity.customer_id = touched.customer_id

),

ledger as (

    select
        accounts.customer_id, {{ month_start('days.event_date') }} as month_date,
        days.order_count, days.gross_amount, days.discount_amount, days.net_amount, days.returned_amount,
        0 as returned_by_order_date_amount, days.margin_amount
    from {{ ref('int_account_days') }} as days
    inner join accounts on days.source_system = accounts.source_system and days.source_id = accounts.source_id
    inner join release
        on days.event_date <= release.as_of_date
        and days.effective_from <= release.known_at

),

returns_by_order_date as (

    select
        accounts.customer_id, {{ month_start('returns.order_date') }} as month_date,
        0 as order_count, 0 as gross_amount, 0 as discount_amount, 0 as net_amount, 0 as returned_amount,
        -returns.net_amount as returned_by_order_date_amount, 0 as margin_amount
    from {{ ref('int_returns__converted') }} as returns
    inner join accounts on returns.source_system = accounts.source_system and returns.customer_ref = accounts.source_id
    inner join release
        on returns.return_date <= release.as_of_date
        and returns.known_from <= release.known_at
        and returns.known_to > release.known_at
    where returns.is_counted
        and not returns.is_orphan

),

trade as (

    select * from ledger
    union all
    select * from returns_by_order_date

)

select
    trade.customer_id,
    trade.month_date,
    cast(sum(trade.order_count) as bigint) as order_count,
    {{ money('sum(trade.gross_amount)') }} as gross_amount,
    {{ money('sum(trade.discount_amount)') }} as discount_amount,
    {{ money('sum(trade.net_amount)') }} as net_amount,
    {{ money('sum(trade.returned_amount)') }} as returned_amount,
    {{ money('sum(trade.returned_by_order_date_amount)') }} as returned_by_order_date_amount,
    {{ money('sum(trade.margin_amount)') }} as margin_amount
from trade
group by trade.customer_id, trade.month_date
having sum(trade.order_count) <> 0
    or sum(trade.net_amount) <> 0
    or sum(trade.gross_amount) <> 0
    or sum(trade.returned_amount) <> 0
    or sum(trade.returned_by_order_date_amount) <> 0
