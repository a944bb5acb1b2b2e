with source as (

    select * from {{ source('raw', 'raw_finance__invoice') }}

)

select
    source_system,
    invoice_id,
    customer_ref,
    order_id,
    issued_date,
    due_date,
    currency,
    total_amount,
    tax_amount,
    status,
    is_opening_balance,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
