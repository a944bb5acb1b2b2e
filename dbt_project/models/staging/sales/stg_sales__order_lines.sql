with source as (

    select * from {{ source('raw', 'raw_sales__order_line') }}

)

select
    source_system,
    line_id,
    order_id,
    product_id,
    quantity,
    gross_amount,
    discount_amount,
    net_amount,
    tax_amount,
    cost_amount,
    cost_basis,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
