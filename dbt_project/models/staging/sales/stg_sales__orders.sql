with source as (

    select * from {{ source('raw', 'raw_sales__order') }}

)

select
    source_system,
    order_id,
    customer_ref,
    ordered_at,
    business_date,
    processed_at,
    status,
    channel,
    entity_id,
    currency,
    promised_date,
    delivered_date,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
