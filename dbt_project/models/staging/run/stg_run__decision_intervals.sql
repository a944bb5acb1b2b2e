with source as (

    select * from {{ source('run', 'run_decision_intervals') }}

)

select
    scheme,
    customer_id,
    band,
    valid_from,
    valid_to,
    main_cause
from source
