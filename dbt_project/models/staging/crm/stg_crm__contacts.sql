with source as (

    select * from {{ source('raw', 'raw_crm__contact') }}

)

select
    source_system,
    contact_id,
    account_id,
    role,
    decision_role,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
