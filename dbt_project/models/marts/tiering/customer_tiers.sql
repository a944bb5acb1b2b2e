{#- The composite: the sum of what tier_explanations says, the tier whose bounds hold it, and the gates that the bands of a
    customer open: first no lower than the highest floor, then no higher than the lowest ceiling. -#}
with dates as (

    select as_of_date, known_at, policy_version, model_version from {{ ref('stg_run__dates') }}

),

tiers as (

    select policy_version, band, band_rank, lower_bound, upper_bound
    from {{ ref('policy_bands') }}
    where lens = 'tier'

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

gates as (

    select gates.policy_version, gates.gate, gates.lens, gates.band, floors.band_rank as floor_rank, ceilings.band_rank as ceiling_rank
    from {{ ref('policy_gates') }} as gates
    left join tiers as floors
        on gates.policy_version = floors.policy_version
        and gates.floor_tier = floors.band
    left join tiers as ceilings
        on gates.policy_version = ceilings.policy_version
        and gates.ceiling_tier = ceilings.band

),

opened as (

    select bands.as_of_date, bands.customer_id, gates.gate, gates.floor_rank, gates.ceiling_rank
    from {{ ref('customer_bands') }} as bands
    inner join gates
        on bands.policy_version = gates.policy_version
        and bands.lens = gates.lens
        and bands.band = gates.band

),

limits as (

    select as_of_date, customer_id, min(floor_rank) as floor_rank, max(ceiling_rank) as ceiling_rank
    from opened
    group by as_of_date, customer_id

),

ranked as (

    select
        scored.*,
        tiers.band as score_tier,
        tiers.band_rank as score_rank,
        limits.floor_rank,
        limits.ceiling_rank,
        least(tiers.band_rank, coalesce(limits.floor_rank, tiers.band_rank)) as lifted_rank
    from scored
    inner join tiers
        on scored.policy_version = tiers.policy_version
        and (tiers.lower_bound is null or scored.tier_score >= tiers.lower_bound)
        and (tiers.upper_bound is null or scored.tier_score < tiers.upper_bound)
    left join limits
        on scored.as_of_date = limits.as_of_date
        and scored.customer_id = limits.customer_id

),

moved as (

    select
        opened.as_of_date, opened.customer_id,
        {{ joined('opened.gate', 'opened.floor_rank nulls last, opened.gate') }} as gates
    from opened
    inner join ranked
        on opened.as_of_date = ranked.as_of_date
        and opened.customer_id = ranked.customer_id
    where (opened.floor_rank = ranked.floor_rank and opened.floor_rank < ranked.score_rank)
        or (opened.ceiling_rank = ranked.ceiling_rank and opened.ceiling_rank > ranked.lifted_rank)
    group by opened.as_of_date, opened.customer_id

),

stages as (

    select as_of_date, customer_id, band from {{ ref('customer_bands') }} where lens = 'lifecycle'

)

select
    ranked.as_of_date,
    ranked.customer_id,
    ranked.score_tier,
    gated.band as gated_tier,
    moved.gates,
    gated.band as tier,
    gated.band_rank as tier_rank,
    ranked.tier_score,
    ranked.defaulted_lens_count,
    stages.band as lifecycle_stage,
    ranked.policy_version,
    ranked.model_version,
    ranked.known_at
from ranked
inner join tiers as gated
    on ranked.policy_version = gated.policy_version
    and greatest(ranked.lifted_rank, coalesce(ranked.ceiling_rank, ranked.lifted_rank)) = gated.band_rank
left join moved
    on ranked.as_of_date = moved.as_of_date
    and ranked.customer_id = moved.customer_id
left join stages
    on ranked.as_of_date = stages.as_of_date
    and ranked.customer_id = stages.customer_id
