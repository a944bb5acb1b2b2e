with source as (

    select * from {{ source('ml', 'models') }}

)

select
    as_of_date,
    horizon_days,
    model_version,
    rung,
    reason,
    grade,
    grade_reason
from source
