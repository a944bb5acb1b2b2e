{#- Why a tier is another than in the decision before. The step that changed is the last of those that decide: people, then gates,
    then what the score holds. A tier that is lost because it had been short of its score for long enough was held until now.
    Where the score itself moved a tier, the cause that has the most points in its direction is the main one. -#}
with dates as (

    select as_of_date, is_first, earlier_date, policy_version, earlier_policy_version
    from {{ ref('int_run_dates__compared') }}
    where earlier_date is not null

),

decided as (

    select as_of_date, customer_id, tier_score, score_tier, held_tier, decided_tier, tier from {{ ref('customer_tiers') }}

),

earlier as ({{ told_before('decided', ref('stg_run__decided_customers'), ['customer_id', 'tier_score', 'score_tier', 'held_tier', 'decided_tier', 'tier']) }}),

tiers as (

    select policy_version, band, band_rank from {{ ref('policy_bands') }} where lens = 'tier'

),

steps as (

    select
        decided.as_of_date, decided.customer_id, dates.policy_version,
        earlier.tier as from_tier, decided.tier as to_tier, earlier.tier_score as from_score, decided.tier_score as to_score,
        case
            when decided.decided_tier = earlier.decided_tier then 'override'
            when decided.held_tier = earlier.held_tier then 'gate'
            when dates.policy_version <> dates.earlier_policy_version and decided.tier_score = earlier.tier_score then 'policy'
            when held.band_rank > earlier_held.band_rank
                and (decided.score_tier = earlier.score_tier or decided.tier_score >= earlier.tier_score) then 'hold'
            when decided.tier_score = earlier.tier_score then 'policy'
            else 'score'
        end as step
    from decided
    inner join earlier
        on decided.as_of_date = earlier.as_of_date
        and decided.customer_id = earlier.customer_id
    inner join dates on decided.as_of_date = dates.as_of_date
    left join tiers as held
        on dates.policy_version = held.policy_version
        and decided.held_tier = held.band
    left join tiers as earlier_held
        on dates.policy_version = earlier_held.policy_version
        and earlier.held_tier = earlier_held.band
    where decided.tier <> earlier.tier

),

by_cause as (

    select causes.as_of_date, causes.customer_id, causes.cause, sum(causes.points) as points
    from {{ ref('tier_causes') }} as causes
    inner join steps
        on causes.as_of_date = steps.as_of_date
        and causes.customer_id = steps.customer_id
    group by causes.as_of_date, causes.customer_id, causes.cause

),

ranked as (

    select
        by_cause.*,
        row_number() over (
            partition by by_cause.as_of_date, by_cause.customer_id
            order by by_cause.points * sign(steps.to_score - steps.from_score) desc, by_cause.cause
        ) as nth
    from by_cause
    inner join steps
        on by_cause.as_of_date = steps.as_of_date
        and by_cause.customer_id = steps.customer_id

)

select
    steps.as_of_date,
    steps.customer_id,
    steps.from_tier,
    steps.to_tier,
    steps.step,
    case when steps.step = 'score' then ranked.cause else steps.step end as main_cause,
    steps.from_score,
    steps.to_score,
    steps.policy_version
from steps
left join ranked
    on steps.as_of_date = ranked.as_of_date
    and steps.customer_id = ranked.customer_id
    and ranked.nth = 1
