{#- What is said of a customer on each as-of date, amounts at the rate of that date, with what its industry and those it
    recommended add. A view: what customers say of themselves changes seldom, and what it comes to every day. -#}
{{ config(materialized='view') }}

select
    population.as_of_date,
    population.customer_id,
    described.kind,
    described.industry_code,
    described.org_type,
    described.region,
    described.city_tier,
    cast(described.employee_count as bigint) as employee_count,
    {{ converted('described.annual_revenue_original', rate_to_reporting('described.annual_revenue_currency', 'revenue_fx.rate')) }}
        as annual_revenue_amount,
    {{ converted('described.credit_limit_original', rate_to_reporting('described.credit_limit_currency', 'credit_fx.rate')) }}
        as credit_limit_amount,
    described.is_strategic,
    cast(described.influence_rating as bigint) as influence_rating,
    cast(described.price_sensitivity_declared as bigint) as price_sensitivity_rating,
    cast(described.quality_demand_declared as bigint) as quality_demand_rating,
    cast(described.brand_preference_declared as bigint) as brand_preference_rating,
    {{ delivered_or_unknown('coalesce(referred.referred_customer_count, 0)', ['crm_account']) }} as referred_customer_count,
    cast(industries.industry_growth_rate as decimal(28, 6)) as industry_growth_rate
from {{ ref('int_customers__population') }} as population
inner join {{ ref('stg_run__dates') }} as dates on population.as_of_date = dates.as_of_date
inner join {{ ref('int_tables__delivered') }} as delivered on population.as_of_date = delivered.as_of_date
left join {{ ref('int_customers__described') }} as described
    on population.customer_id = described.customer_id
    and described.valid_from <= population.as_of_date
    and described.valid_to > population.as_of_date
left join {{ ref('int_fx_rates__daily') }} as revenue_fx
    on described.annual_revenue_currency = revenue_fx.currency
    and population.as_of_date = revenue_fx.valid_date
    and revenue_fx.known_from <= dates.known_at
    and revenue_fx.known_to > dates.known_at
left join {{ ref('int_fx_rates__daily') }} as credit_fx
    on described.credit_limit_currency = credit_fx.currency
    and population.as_of_date = credit_fx.valid_date
    and credit_fx.known_from <= dates.known_at
    and credit_fx.known_to > dates.known_at
left join {{ ref('int_customers__referred') }} as referred
    on population.as_of_date = referred.as_of_date
    and population.customer_id = referred.customer_id
left join {{ ref('int_industries__grown') }} as industries
    on population.as_of_date = industries.as_of_date
    and described.industry_code = industries.industry_code
