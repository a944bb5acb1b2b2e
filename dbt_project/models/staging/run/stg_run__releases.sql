with source as (

    select * from {{ source('run', 'run_releases') }}

)

select
    release_id,
    as_of_date,
    known_at,
    policy_version,
    customer_count,
    net_amount_365d,
    published_at
from source
