with source as (

    select * from {{ source('run', 'run_standings') }}

)

select
    customer_id,
    tier_rank,
    is_held,
    last_earned_date,
    last_kept_date
from source
