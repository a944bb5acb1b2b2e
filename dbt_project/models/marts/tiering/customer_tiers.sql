{#- The composite: the sum of what tier_explanations says, and the tier whose bounds hold it. -#}
with dates as (

    select as_of_date, known_at, policy_version, model_version from {{ ref('stg_run__dates') }}

),

scored as (

    select
        explanations.as_of_date,
        explanations.customer_id,
        cast(sum(explanations.contribution) as decimal(9, 4)) as tier_score,
        cast(sum(case when explanations.is_defaulted then 1 else 0 end) as bigint) as defaulted_lens_count,
        dates.policy_version,
        dates.model_version,
        dates.known_at
    from {{ ref('tier_explanations') }} as explanations
    inner join dates on explanations.as_of_date = dates.as_of_date
    group by
        explanations.as_of_date, explanations.customer_id, dates.policy_version, dates.model_version, dates.known_at

),

tiers as (

    select policy_version, band, band_rank, lower_bound, upper_bound
    from {{ ref('policy_bands') }}
    where lens = 'tier'

),

stages as (

    select as_of_date, customer_id, band from {{ ref('customer_bands') }} where lens = 'lifecycle'

)

select
    scored.as_of_date,
    scored.customer_id,
    tiers.band as score_tier,
    tiers.band as tier,
    tiers.band_rank as tier_rank,
    scored.tier_score,
    scored.defaulted_lens_count,
    stages.band as lifecycle_stage,
    scored.policy_version,
    scored.model_version,
    scored.known_at
from scored
inner join tiers
    on scored.policy_version = tiers.policy_version
    and (tiers.lower_bound is null or scored.tier_score >= tiers.lower_bound)
    and (tiers.upper_bound is null or scored.tier_score < tiers.upper_bound)
left join stages
    on scored.as_of_date = stages.as_of_date
    and scored.customer_id = stages.customer_id
