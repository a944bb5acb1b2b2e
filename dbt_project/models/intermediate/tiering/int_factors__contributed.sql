{#- What each factor adds to the tier score. Where a lens that cannot judge drops out (renormalise), the weights of the others
    share the whole. The running sum is rounded, the heaviest factor first, and a contribution is what it grows by: so the
    score is the sum of the contributions and the exact score rounded once, and full marks are full marks. The base is a factor
    like the others, without a lens. Keyed by numbers: tier_explanations says the names. -#}
with weights as (

    select
        lenses.lens_number, weights.weight, lenses.on_missing = 'renormalise' as may_drop_out,
        row_number() over (partition by lenses.policy_version order by weights.weight desc, lenses.lens asc) as place
    from {{ ref('policy_weights') }} as weights
    inner join {{ ref('int_lenses__numbered') }} as lenses
        on weights.policy_version = lenses.policy_version
        and weights.factor = lenses.lens
    where weights.target = 'tier'

),

factors as (

    select
        judged.as_of_date, judged.customer_number, judged.lens_number, judged.value, judged.score, judged.band_number,
        judged.is_defaulted, judged.has_order, weights.weight, weights.place,
        judged.is_defaulted and weights.may_drop_out as drops_out,
        cast(case when judged.is_defaulted and weights.may_drop_out then 0 else judged.score * weights.weight end as decimal(18, 8))
            as points
    from {{ ref('int_customers__judged') }} as judged
    inner join weights on judged.lens_number = weights.lens_number

),

summed as (

    select
        *,
        1 - sum(case when drops_out then weight else 0 end) over (partition by as_of_date, customer_number) as present_weight,
        sum(points) over heaviest_first as points_so_far
    from factors
    window heaviest_first as (
        partition by as_of_date, customer_number
        order by place
        rows between unbounded preceding and current row
    )

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
    customer_number,
    lens_number,
    value,
    score,
    band_number,
    weight,
    cast(present_weight as decimal(9, 4)) as present_weight,
    {{ money('score_so_far - score_before') }} as contribution,
    is_defaulted,
    drops_out as is_dropped,
    has_order
from running

union all

select
    customers.as_of_date,
    customers.customer_number,
    null as lens_number,
    null as value,
    null as score,
    null as band_number,
    null as weight,
    null as present_weight,
    {{ money('policy.tier_base_score') }} as contribution,
    false as is_defaulted,
    false as is_dropped,
    null as has_order
from {{ ref('int_customers__indicated') }} as customers
inner join {{ ref('int_policy__in_force') }} as policy on customers.as_of_date = policy.as_of_date
