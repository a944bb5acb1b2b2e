{#- What is known of a customer beside its trade, on the release date. CRM speaks first, then sales, then finance;
    within a family the account with the smallest code. A person's name is null here: it never leaves the vault. What a
    system says of an account changes with a version of it, so only customers matched anew are described anew. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('customer_id in (' ~ rematched_customers() ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('stg_run__accounts') }}
with release as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }} where is_release_date

),

identity as (

    select identity.source_system, identity.source_id, identity.family, identity.customer_id
    from {{ ref('int_customers__identity') }} as identity
    inner join release
        on identity.valid_from <= release.as_of_date
        and identity.valid_to > release.as_of_date
    inner join {{ ref('int_accounts__rematched') }} as rematched
        on identity.source_system = rematched.source_system
        and identity.source_id = rematched.source_id
        and identity.family = rematched.family

),

accounts as (

    select accounts.source_system, accounts.source_id, accounts.family, accounts.kind, accounts.name, accounts.country
    from {{ ref('int_accounts__unioned') }} as accounts
    inner join release on accounts.known_from <= release.known_at and accounts.known_to > release.known_at

),

crm as (

    select
        'crm' as family, crm.source_system, crm.account_id, crm.owner_id, crm.industry_code, crm.region, crm.city, crm.employee_count,
        crm.is_strategic
    from {{ ref('stg_crm__accounts') }} as crm
    inner join release on crm.known_from <= release.known_at and crm.known_to > release.known_at

),

ranked as (

    select
        identity.customer_id,
        accounts.kind,
        accounts.name,
        accounts.country,
        crm.owner_id,
        crm.industry_code,
        crm.region,
        crm.city,
        crm.employee_count,
        crm.is_strategic,
        row_number() over (
            partition by identity.customer_id
            order by
                {{ family_order('identity.family') }},
                identity.source_system,
                identity.source_id
        ) as nth
    from identity
    inner join accounts
        on identity.source_system = accounts.source_system
        and identity.source_id = accounts.source_id
        and identity.family = accounts.family
    left join crm
        on identity.family = crm.family
        and identity.source_system = crm.source_system
        and identity.source_id = crm.account_id

)

select
    customer_id,
    kind,
    name as customer_name,
    country,
    region,
    city,
    industry_code,
    employee_count,
    owner_id,
    is_strategic
from ranked
where nth = 1
