with source as (

    select * from {{ source('raw', 'raw_sales__return_line') }}

)

select
    source_system,
    return_line_id,
    original_line_id,
    customer_ref,
    returned_at,
    business_date,
    quantity,
    net_amount,
    cost_amount,
    currency,
    reason,
    restocked as is_restocked,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
