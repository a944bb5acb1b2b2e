with source as (

    select * from {{ source('raw', 'raw_finance__balance_daily') }}

)

select
    source_system,
    customer_ref,
    balance_date,
    product_kind,
    balance,
    currency,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
