with source as (

    select * from {{ source('raw', 'raw_reference__override') }}

)

select
    source_system,
    override_id,
    customer_system,
    customer_ref,
    scheme,
    floor_tier,
    ceiling_tier,
    reason,
    valid_from,
    valid_to,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
