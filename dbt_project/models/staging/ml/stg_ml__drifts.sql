with source as (

    select * from {{ source('ml', 'drifts') }}

)

select
    horizon_days,
    model_version,
    topic,
    measure,
    since_date,
    predicted_to_came,
    figure,
    warn_limit,
    level
from source
