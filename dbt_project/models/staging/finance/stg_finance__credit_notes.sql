with source as (

    select * from {{ source('raw', 'raw_finance__credit_note') }}

)

select
    source_system,
    note_id,
    customer_ref,
    invoice_id,
    issued_date,
    currency,
    amount,
    reason,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
