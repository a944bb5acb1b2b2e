with release as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }} where is_release_date

),

ledger as (

    select
        days.source_system, days.source_id, {{ month_start('days.event_date') }} as month_date,
        days.order_count, days.gross_amount, days.discount_amount, days.net_amount, days.returned_amount,
        0 as returned_by_order_date_amount, days.margin_amount
    from {{ ref('int_account_days') }} as days
    inner join release
        on days.event_date <= release.as_of_date
        and days.effective_from <= release.known_at

),

returns_by_order_date as (

    select
        returns.source_system, returns.customer_ref as source_id, {{ month_start('returns.order_date') }} as month_date,
        0 as order_count, 0 as gross_amount, 0 as discount_amount, 0 as net_amount, 0 as returned_amount,
        -returns.net_amount as returned_by_order_date_amount, 0 as margin_amount
    from {{ ref('int_returns__converted') }} as returns
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

),

identity as (

    select source_system, source_id, customer_id from {{ ref('customer_identity') }}

)

select
    identity.customer_id,
    trade.month_date,
    cast(sum(trade.order_count) as bigint) as order_count,
    {{ money('sum(trade.gross_amount)') }} as gross_amount,
    {{ money('sum(trade.discount_amount)') }} as discount_amount,
    {{ money('sum(trade.net_amount)') }} as net_amount,
    {{ money('sum(trade.returned_amount)') }} as returned_amount,
    {{ money('sum(trade.returned_by_order_date_amount)') }} as returned_by_order_date_amount,
    {{ money('sum(trade.margin_amount)') }} as margin_amount
from trade
inner join identity
    on trade.source_system = identity.source_system
    and trade.source_id = identity.source_id
group by identity.customer_id, trade.month_date
having sum(trade.order_count) <> 0
    or sum(trade.net_amount) <> 0
    or sum(trade.gross_amount) <> 0
    or sum(trade.returned_amount) <> 0
    or sum(trade.returned_by_order_date_amount) <> 0
