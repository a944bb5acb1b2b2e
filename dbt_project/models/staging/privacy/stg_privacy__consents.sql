with source as (

    select * from {{ source('raw', 'raw_privacy__consent') }}

)

select
    source_system,
    subject_system,
    subject_kind,
    case when subject_kind in ('email', 'phone') then null else subject_id end as subject_id,
    purpose,
    given as is_given,
    decided_at,
    source as told_by,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
