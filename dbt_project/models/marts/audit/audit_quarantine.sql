select
    batches.source_system,
    batches.family,
    batches.entity,
    batches.file_name,
    batches.delivery_date,
    rows.batch_id,
    rows.source_line,
    rows.rule,
    rows.column_name,
    rows.raw_text
from {{ ref('stg_run__quarantined_rows') }} as rows
inner join {{ ref('stg_run__batches') }} as batches on rows.batch_id = batches.batch_id
