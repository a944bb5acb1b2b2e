with source as (

    select * from {{ source('raw', 'raw_finance__customer') }}

)

select
    source_system,
    customer_ref,
    case when kind = 'person' then null else customer_name end as customer_name,
    kind,
    code,
    {{ normalised_tax_id('tax_id') }} as tax_id,
    country,
    sales_customer_ref,
    payment_terms_days,
    credit_limit,
    currency,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
