with source as (

    select * from {{ source('run', 'run_decided_customers') }}

)

select
    as_of_date,
    known_at,
    policy_version,
    model_version,
    customer_id,
    tier_score,
    score_tier,
    held_tier,
    decided_tier,
    tier
from source
