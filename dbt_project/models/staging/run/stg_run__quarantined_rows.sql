with source as (

    select * from {{ source('run', 'run_quarantined_rows') }}

)

select
    batch_id,
    source_line,
    rule,
    column_name,
    raw_text
from source
