with source as (

    select * from {{ source('run', 'run_decided_factors') }}

)

select
    customer_id,
    factor,
    score,
    weight,
    contribution,
    is_dropped
from source
