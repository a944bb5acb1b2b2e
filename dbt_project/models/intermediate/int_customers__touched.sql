{#- The customers whose past months may read otherwise than on the date the run goes on from: an order or a return of
    theirs has happened or become known since, or its customer may be another. Without such a date, every customer. -#}
with accounts as (

    select days.source_system, days.source_id
    from {{ new_in_ledger(ref('int_account_days'), built('as_of_date'), built('as_of_known_at')) }} as days
    where days.order_count <> 0
        or days.gross_amount <> 0
        or days.net_amount <> 0
        or days.returned_amount <> 0
        or days.margin_amount <> 0

)

select identity.customer_id
from {{ ref('int_customers__identity') }} as identity
inner join accounts
    on identity.source_system = accounts.source_system
    and identity.source_id = accounts.source_id

union

{{ rematched_customers() }}
