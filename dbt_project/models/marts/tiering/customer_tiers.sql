{#- The composite: contributions are rounded first and then summed, so that they explain the score exactly. -#}
with policy as (

    select dates.as_of_date, dates.known_at, dates.policy_version, dates.model_version, policy.tier_base_score
    from {{ ref('stg_run__dates') }} as dates
    inner join {{ ref('int_policy__in_force') }} as policy on dates.as_of_date = policy.as_of_date

),

contributions as (

    select
        bands.as_of_date,
        bands.customer_id,
        sum(cast(round(bands.score * weights.weight, 4) as decimal(18, 4))) as contribution,
        sum(case when bands.is_defaulted then 1 else 0 end) as defaulted_lens_count
    from {{ ref('customer_bands') }} as bands
    inner join {{ ref('policy_weights') }} as weights
        on bands.policy_version = weights.policy_version
        and weights.target = 'tier'
        and bands.lens = weights.factor
    group by bands.as_of_date, bands.customer_id

),

scored as (

    select
        contributions.as_of_date,
        contributions.customer_id,
        cast(policy.tier_base_score + contributions.contribution as decimal(9, 4)) as tier_score,
        cast(contributions.defaulted_lens_count as bigint) as defaulted_lens_count,
        policy.policy_version,
        policy.model_version,
        policy.known_at
    from contributions
    inner join policy on contributions.as_of_date = policy.as_of_date

),

tiers as (

    select policy_version, band, band_rank, lower_bound, upper_bound
    from {{ ref('policy_bands') }}
    where lens = 'tier'

)

select
    scored.as_of_date,
    scored.customer_id,
    tiers.band as score_tier,
    tiers.band as tier,
    tiers.band_rank as tier_rank,
    scored.tier_score,
    scored.defaulted_lens_count,
    scored.policy_version,
    scored.model_version,
    scored.known_at
from scored
inner join tiers
    on scored.policy_version = tiers.policy_version
    and (tiers.lower_bound is null or scored.tier_score >= tiers.lower_bound)
    and (tiers.upper_bound is null or scored.tier_score < tiers.upper_bound)
