with source as (

    select * from {{ source('raw', 'raw_finance__cost_to_serve') }}

)

select
    source_system,
    customer_ref,
    period,
    cost_type,
    amount,
    currency,
    allocation_rule,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
