with source as (

    select * from {{ source('raw', 'raw_sales__customer') }}

)

select
    source_system,
    customer_ref,
    case when kind = 'person' then null else customer_name end as customer_name,
    kind,
    code,
    {{ normalised_tax_id('tax_id') }} as tax_id,
    country,
    crm_account_ref,
    created_at,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
