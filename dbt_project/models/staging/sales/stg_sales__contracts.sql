with source as (

    select * from {{ source('raw', 'raw_sales__contract') }}

)

select
    source_system,
    contract_id,
    customer_ref,
    start_date,
    end_date,
    renewed_by_contract_id,
    mrr,
    currency,
    cancelled_at,
    cancel_reason,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
