{#- Leads that are not won, graded by how near they are to a sale: with budget and met S, with one of the two A, spoken to of late
    B, C otherwise, and D once lost or invalid. How often to follow up, what to do next and which grade to aim for is the
    policy's. A lead belongs to a customer where it names an account; the best open one speaks for the customer. -#}
with policy as (

    select as_of_date, policy_version, lead_warm_days from {{ ref('int_policy__in_force') }}

),

leads as (

    select
        known.*,
        policy.policy_version,
        case
            when known.is_over then 'D'
            when known.has_budget and known.is_met then 'S'
            when known.has_budget or known.is_met then 'A'
            when {{ days_between('known.last_contact_date', 'known.as_of_date') }} <= policy.lead_warm_days then 'B'
            else 'C'
        end as grade
    from {{ ref('int_leads__identified') }} as known
    inner join policy on known.as_of_date = policy.as_of_date

),

ranked as (

    select
        leads.*,
        coalesce(leads.last_contact_date, leads.created_date) as since_date,
        bands.score as lead_score,
        actions.followup_days,
        actions.goal_band,
        actions.action_en,
        actions.action_zh,
        row_number() over (
            partition by leads.as_of_date, leads.customer_id
            order by bands.band_rank, leads.source_system, leads.lead_id
        ) as nth
    from leads
    inner join {{ ref('policy_bands') }} as bands
        on leads.policy_version = bands.policy_version
        and bands.lens = 'lead'
        and leads.grade = bands.band
    left join {{ ref('policy_actions') }} as actions
        on leads.policy_version = actions.policy_version
        and actions.lens = 'lead'
        and leads.grade = actions.band

)

select
    as_of_date,
    source_system,
    lead_id,
    customer_id,
    grade,
    lead_score,
    grade_declared,
    created_date,
    last_contact_date,
    followup_days,
    case when followup_days > 0 then {{ add_days('since_date', 'followup_days') }} end as followup_due_date,
    goal_band as goal_grade,
    action_en as next_action_en,
    action_zh as next_action_zh,
    case when customer_id is not null and nth = 1 then grade end as customer_grade,
    policy_version
from ranked
