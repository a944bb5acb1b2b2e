with source as (

    select * from {{ source('run', 'run_batches') }}

)

select
    batch_id,
    source_system,
    family,
    entity,
    file as file_name,
    sha256,
    raw_sha256,
    delivery_date,
    extracted_at,
    duplicate_of,
    records as record_count,
    accepted as accepted_count,
    duplicates as duplicate_count,
    quarantined as quarantined_count,
    filtered as filtered_count,
    known_at
from source
