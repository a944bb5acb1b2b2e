with source as (

    select * from {{ source('run', 'run_accounts') }}

)

select
    source_system,
    source_id,
    family,
    customer_id
from source
