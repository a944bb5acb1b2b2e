with source as (

    select * from {{ source('raw', 'raw_crm__owner') }}

)

select
    source_system,
    owner_id,
    team_id,
    level,
    capacity_hours_week,
    active as is_active,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
