with source as (

    select * from {{ source('raw', 'raw_crm__account') }}

)

select
    source_system,
    account_id,
    case when account_kind = 'person' then null else account_name end as account_name,
    account_kind,
    parent_account_id,
    owner_id,
    created_at,
    industry_code,
    employee_count,
    country,
    region,
    city,
    {{ normalised_tax_id('tax_id') }} as tax_id,
    strategic_flag as is_strategic,
    influence_rating,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
