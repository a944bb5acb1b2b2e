with source as (

    select * from {{ source('raw', 'raw_service__case') }}

)

select
    source_system,
    case_id,
    customer_system,
    customer_ref,
    opened_at,
    business_date,
    first_response_at,
    closed_at,
    kind,
    severity,
    category,
    reopened_count,
    satisfaction,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
