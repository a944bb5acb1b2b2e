{#- Leads as they were known on each as-of date, but for those that were won, with the customer of the account they name. -#}
with dates as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }}

)

select
    dates.as_of_date,
    leads.source_system,
    leads.lead_id,
    identity.customer_id,
    {{ utc_date('leads.created_at') }} as created_date,
    {{ utc_date('leads.last_contact_at') }} as last_contact_date,
    coalesce(leads.outcome, 'open') in ('lost', 'invalid') as is_over,
    coalesce(leads.has_budget, false) as has_budget,
    leads.met_at is not null as is_met,
    leads.grade_declared
from {{ ref('stg_crm__leads') }} as leads
inner join dates
    on leads.known_from <= dates.known_at
    and leads.known_to > dates.known_at
    and {{ utc_date('leads.created_at') }} <= dates.as_of_date
left join {{ ref('int_customers__identity') }} as identity
    on leads.source_system = identity.source_system
    and leads.account_id = identity.source_id
    and identity.family = 'crm'
    and identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
where leads.outcome is null
    or leads.outcome <> 'won'
