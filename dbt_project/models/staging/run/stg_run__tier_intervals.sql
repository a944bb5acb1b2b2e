with source as (

    select * from {{ source('run', 'run_tier_intervals') }}

)

select
    customer_id,
    tier,
    valid_from,
    valid_to
from source
