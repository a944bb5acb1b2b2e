with source as (

    select * from {{ source('raw', 'raw_sales__product') }}

)

select
    source_system,
    product_id,
    product_name,
    category_l1,
    category_l2,
    brand,
    product_line,
    uom,
    active as is_active,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
