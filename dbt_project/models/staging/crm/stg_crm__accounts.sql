with source as (

    select * from {{ source('raw', 'raw_crm__account') }}

)

select
    source_system,
    account_id,
    case when account_kind = 'person' then null else account_name end as account_name,
    account_kind,
    parent_account_id,
    referred_by_account_id,
    owner_id,
    created_at,
    lifecycle_source,
    industry_code,
    org_type,
    employee_count,
    annual_revenue,
    total_assets,
    currency,
    country,
    region,
    city,
    city_tier,
    {{ normalised_tax_id('tax_id') }} as tax_id,
    strategic_flag as is_strategic,
    influence_rating,
    price_sensitivity_declared,
    quality_demand_declared,
    brand_preference_declared,
    default_payment_terms_days,
    credit_limit,
    customer_profit_state,
    customer_profit_trend,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
