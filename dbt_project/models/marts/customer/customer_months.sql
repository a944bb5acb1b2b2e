with release as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }} where is_release_date

),

ledger as (

    select
        days.source_system, days.source_id, {{ month_start('days.event_date') }} as month_date,
        days.order_count, days.gross_amount, days.discount_amount, days.net_amount, days.returned_amount,
        days.margin_amount
    from {{ ref('int_account_days') }} as days
    inner join release
        on days.event_date <= release.as_of_date
        and days.effective_from <= release.known_at

),

identity as (

    select source_system, source_id, customer_id from {{ ref('customer_identity') }}

)

select
    identity.customer_id,
    ledger.month_date,
    cast(sum(ledger.order_count) as bigint) as order_count,
    {{ money('sum(ledger.gross_amount)') }} as gross_amount,
    {{ money('sum(ledger.discount_amount)') }} as discount_amount,
    {{ money('sum(ledger.net_amount)') }} as net_amount,
    {{ money('sum(ledger.returned_amount)') }} as returned_amount,
    {{ money('sum(ledger.margin_amount)') }} as margin_amount
from ledger
inner join identity
    on ledger.source_system = identity.source_system
    and ledger.source_id = identity.source_id
group by identity.customer_id, ledger.month_date
having sum(ledger.order_count) <> 0 or sum(ledger.net_amount) <> 0 or sum(ledger.gross_amount) <> 0
