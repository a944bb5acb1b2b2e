with source as (

    select * from {{ source('raw', 'raw_marketing__event') }}

)

select
    source_system,
    event_id,
    customer_system,
    customer_ref,
    kind,
    registered_at,
    business_date,
    attended as is_attended,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
