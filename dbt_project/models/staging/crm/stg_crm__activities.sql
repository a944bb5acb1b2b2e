with source as (

    select * from {{ source('raw', 'raw_crm__activity') }}

)

select
    source_system,
    activity_id,
    account_id,
    contact_id,
    kind,
    direction,
    occurred_at,
    business_date,
    duration_s,
    owner_id,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
