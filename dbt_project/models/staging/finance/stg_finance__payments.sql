with source as (

    select * from {{ source('raw', 'raw_finance__payment') }}

)

select
    source_system,
    payment_id,
    customer_ref,
    received_date,
    amount,
    currency,
    method,
    is_refund,
    unapplied_amount,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
