with source as (

    select * from {{ source('raw', 'raw_finance__payment_allocation') }}

)

select
    source_system,
    payment_id,
    invoice_id,
    amount,
    applied_date,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
