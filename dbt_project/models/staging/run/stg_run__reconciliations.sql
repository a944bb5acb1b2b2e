with source as (

    select * from {{ source('run', 'run_reconciliations') }}

)

select
    subject,
    measure,
    expected,
    observed,
    residual,
    status
from source
