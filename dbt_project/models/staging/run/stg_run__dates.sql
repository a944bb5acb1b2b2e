with source as (

    select * from {{ source('run', 'run_dates') }}

)

select
    as_of_date,
    known_at,
    policy_version,
    model_version,
    is_release_date
from source
