with source as (

    select * from {{ source('run', 'run_decided_accounts') }}

)

select
    account_key,
    customer_id
from source
