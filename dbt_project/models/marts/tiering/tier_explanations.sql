{#- What each factor adds to the tier score. Where a lens that cannot judge drops out (renormalise), the weights of the others
    share the whole. The running sum is rounded, the heaviest factor first, and a contribution is what it grows by: so the
    score is the sum of the contributions and the exact score rounded once, and full marks are full marks. The base is a factor
    like the others. -#}
with policy as (

    select as_of_date, policy_version, tier_base_score from {{ ref('int_policy__in_force') }}

),

weights as (

    select
        weights.policy_version, weights.factor, weights.weight,
        coalesce(lenses.on_missing = 'renormalise', false) as may_drop_out
    from {{ ref('policy_weights') }} as weights
    left join {{ ref('policy_lenses') }} as lenses
        on weights.policy_version = lenses.policy_version
        and weights.factor = lenses.lens
    where weights.target = 'tier'

),

factors as (

    select
        bands.as_of_date, bands.customer_id, bands.lens, bands.value, bands.band, bands.score, bands.is_defaulted,
        bands.missing_input, bands.reason, bands.policy_version, weights.weight,
        bands.is_defaulted and weights.may_drop_out as drops_out,
        cast(case when bands.is_defaulted and weights.may_drop_out then 0 else bands.score * weights.weight end as decimal(18, 8))
            as points
    from {{ ref('customer_bands') }} as bands
    inner join weights
        on bands.policy_version = weights.policy_version
        and bands.lens = weights.factor

),

dropped as (

    select as_of_date, customer_id, sum(weight) as weight
    from factors
    where drops_out
    group by as_of_date, customer_id

),

summed as (

    select
        factors.*,
        1 - coalesce(dropped.weight, 0) as present_weight,
        sum(factors.points) over (
            partition by factors.as_of_date, factors.customer_id
            order by factors.weight desc, factors.lens asc
            rows between unbounded preceding and current row
        ) as points_so_far
    from factors
    left join dropped
        on factors.as_of_date = dropped.as_of_date
        and factors.customer_id = dropped.customer_id

),

running as (

    select
        *,
        {{ score_of('points_so_far', 'present_weight') }} as score_so_far,
        {{ score_of('points_so_far - points', 'present_weight') }} as score_before
    from summed

)

select
    as_of_date,
    customer_id,
    lens as factor,
    value,
    band,
    score,
    weight,
    cast(present_weight as decimal(9, 4)) as present_weight,
    {{ money('score_so_far - score_before') }} as contribution,
    is_defaulted,
    drops_out as is_dropped,
    missing_input,
    reason,
    policy_version
from running

union all

select
    population.as_of_date,
    population.customer_id,
    'base' as factor,
    null as value,
    null as band,
    null as score,
    null as weight,
    null as present_weight,
    {{ money('policy.tier_base_score') }} as contribution,
    false as is_defaulted,
    false as is_dropped,
    null as missing_input,
    null as reason,
    policy.policy_version
from {{ ref('int_customers__population') }} as population
inner join policy on population.as_of_date = policy.as_of_date
