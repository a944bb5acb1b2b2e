with source as (

    select * from {{ source('raw', 'raw_crm__lead') }}

)

select
    source_system,
    lead_id,
    account_id,
    created_at,
    grade_declared,
    status,
    outcome,
    has_budget,
    met_at,
    last_contact_at,
    next_followup_at,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
