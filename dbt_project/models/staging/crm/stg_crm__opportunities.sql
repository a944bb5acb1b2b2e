with source as (

    select * from {{ source('raw', 'raw_crm__opportunity') }}

)

select
    source_system,
    opportunity_id,
    account_id,
    stage,
    is_won,
    is_closed,
    amount,
    currency,
    probability,
    created_at,
    business_date,
    close_date,
    lost_reason,
    lost_to_competitor,
    lead_source,
    product_line,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
