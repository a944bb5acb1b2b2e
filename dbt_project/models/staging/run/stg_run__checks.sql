with source as (

    select * from {{ source('run', 'run_checks') }}

)

select
    check_name,
    subject,
    as_of_date,
    status,
    severity,
    owner,
    observed,
    expected,
    checked_at,
    run_id
from source
