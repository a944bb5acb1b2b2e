with source as (

    select * from {{ source('raw', 'raw_survey__response') }}

)

select
    source_system,
    response_id,
    survey_id,
    customer_system,
    customer_ref,
    asked_at,
    business_date,
    answered_at,
    metric,
    score,
    scale_min,
    scale_max,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
