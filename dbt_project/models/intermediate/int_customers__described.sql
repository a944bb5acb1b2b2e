{#- What is known of a customer beside its trade, as intervals of as-of dates. CRM speaks first, then sales, then finance;
    within a family the account with the smallest code. A person's name is null here: it never leaves the vault. The
    credit limit is finance's, else the CRM's. What a system says of an account changes with a version of it, so only
    customers matched anew are described anew. The family stands within the joined code: as a condition of its own it would
    have every account compared with every other. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or customer_id in (' ~ rematched_customers() ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('stg_run__accounts') }}
with dates as (

    select ordered.as_of_date, ordered.next_date, dates.known_at
    from {{ ref('int_run_dates__ordered') }} as ordered
    inner join {{ ref('stg_run__dates') }} as dates on ordered.as_of_date = dates.as_of_date

),

identity as (

    select
        identity.source_system, identity.source_id, identity.family, identity.customer_id, dates.as_of_date, dates.next_date,
        dates.known_at
    from {{ ref('int_customers__identity') }} as identity
    inner join {{ ref('int_accounts__rematched') }} as rematched
        on identity.source_system = rematched.source_system
        and identity.source_id = rematched.source_id
        and identity.family = rematched.family
    inner join dates
        on identity.valid_from <= dates.as_of_date
        and identity.valid_to > dates.as_of_date

),

ranked as (

    select
        identity.customer_id,
        identity.as_of_date,
        identity.next_date,
        accounts.kind,
        accounts.name,
        accounts.country,
        crm.owner_id,
        crm.industry_code,
        crm.org_type,
        crm.region,
        crm.city,
        crm.city_tier,
        crm.employee_count,
        crm.annual_revenue,
        crm.currency,
        crm.is_strategic,
        crm.influence_rating,
        crm.price_sensitivity_declared,
        crm.quality_demand_declared,
        crm.brand_preference_declared,
        crm.customer_profit_state,
        crm.customer_profit_trend,
        coalesce(finance.credit_limit, crm.credit_limit) as credit_limit,
        case when finance.credit_limit is null then crm.currency else finance.currency end as credit_currency,
        row_number() over (
            partition by identity.customer_id, identity.as_of_date
            order by {{ family_order('identity.family') }}, identity.source_system, identity.source_id
        ) as nth,
        row_number() over (
            partition by identity.customer_id, identity.as_of_date
            order by
                case when coalesce(finance.credit_limit, crm.credit_limit) is null then 1 else 0 end,
                case when identity.family = 'finance' then 0 else 1 end,
                identity.source_system,
                identity.source_id
        ) as credit_nth
    from identity
    inner join {{ ref('int_accounts__unioned') }} as accounts
        on identity.source_system = accounts.source_system
        and identity.source_id = accounts.source_id
        and identity.family = accounts.family
        and accounts.known_from <= identity.known_at
        and accounts.known_to > identity.known_at
    left join {{ ref('stg_crm__accounts') }} as crm
        on identity.source_system = crm.source_system
        and case when identity.family = 'crm' then identity.source_id end = crm.account_id
        and crm.known_from <= identity.known_at
        and crm.known_to > identity.known_at
    left join {{ ref('stg_finance__customers') }} as finance
        on identity.source_system = finance.source_system
        and case when identity.family = 'finance' then identity.source_id end = finance.customer_ref
        and finance.known_from <= identity.known_at
        and finance.known_to > identity.known_at

)

select
    ranked.customer_id,
    ranked.as_of_date as valid_from,
    ranked.next_date as valid_to,
    ranked.kind,
    ranked.name as customer_name,
    ranked.country,
    ranked.region,
    ranked.city,
    ranked.city_tier,
    ranked.industry_code,
    ranked.org_type,
    ranked.employee_count,
    ranked.annual_revenue as annual_revenue_original,
    ranked.currency as annual_revenue_currency,
    credit.credit_limit as credit_limit_original,
    credit.credit_currency as credit_limit_currency,
    ranked.owner_id,
    ranked.is_strategic,
    ranked.influence_rating,
    ranked.price_sensitivity_declared,
    ranked.quality_demand_declared,
    ranked.brand_preference_declared,
    ranked.customer_profit_state,
    ranked.customer_profit_trend
from ranked
inner join ranked as credit
    on ranked.customer_id = credit.customer_id
    and ranked.as_of_date = credit.as_of_date
    and credit.credit_nth = 1
where ranked.nth = 1
