with source as (

    select * from {{ source('run', 'run_cutoffs') }}

)

select
    as_of_date,
    cutoff_date,
    customer_limit
from source
