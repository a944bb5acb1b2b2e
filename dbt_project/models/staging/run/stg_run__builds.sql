with source as (

    select * from {{ source('run', 'run_builds') }}

)

select
    known_at,
    as_of_date,
    as_of_known_at
from source
