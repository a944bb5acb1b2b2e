with source as (

    select * from {{ source('raw', 'raw_finance__writeoff') }}

)

select
    source_system,
    invoice_id,
    writeoff_date,
    amount,
    currency,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
