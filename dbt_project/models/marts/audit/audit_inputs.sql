select
    batches.batch_id,
    batches.source_system,
    batches.family,
    batches.entity,
    batches.file_name,
    batches.sha256,
    batches.raw_sha256,
    batches.delivery_date,
    batches.extracted_at,
    batches.known_at,
    batches.duplicate_of,
    batches.record_count,
    batches.accepted_count,
    batches.duplicate_count,
    batches.quarantined_count,
    batches.filtered_count
from {{ ref('stg_run__batches') }} as batches
inner join {{ ref('stg_run__dates') }} as dates on batches.known_at <= dates.known_at
where dates.is_release_date
