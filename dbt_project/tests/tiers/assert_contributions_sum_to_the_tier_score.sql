{{ config(meta={'dagster': {'ref': {'name': 'tier_explanations'}}}) }}
-- Against the bands and weights themselves, by another path: one contribution that is not score times weight, over what the
-- weights that count sum to, is seen. The running sum is rounded, so a contribution may be off by less than a unit of its last
-- digit, and their sum by half of one.
with weighted as (

    select
        bands.as_of_date, bands.customer_id, bands.lens, bands.score, weights.weight,
        sum(weights.weight) over customer as present_weight
    from {{ ref('customer_bands') }} as bands
    inner join {{ ref('policy_weights') }} as weights
        on bands.policy_version = weights.policy_version
        and bands.lens = weights.factor
    inner join {{ ref('policy_lenses') }} as lenses
        on bands.policy_version = lenses.policy_version
        and bands.lens = lenses.lens
    where weights.target = 'tier'
        and not (bands.is_defaulted and lenses.on_missing = 'renormalise')
    window customer as (partition by bands.as_of_date, bands.customer_id)

),

explained as (

    select
        explanations.as_of_date, explanations.customer_id,
        sum(explanations.contribution) as amount,
        sum(case when weighted.lens is not null then explanations.contribution else 0 end) * max(weighted.present_weight)
        - sum(weighted.score * weighted.weight) as points_off,
        max(weighted.present_weight) as present_weight,
        sum(case
            when weighted.lens is null and explanations.contribution = 0 then 0
            when explanations.factor = 'base' and explanations.contribution = policy.tier_base_score then 0
            when abs(explanations.contribution * weighted.present_weight - weighted.score * weighted.weight)
                < weighted.present_weight * 0.0001 then 0
            else 1
        end) as wrong_count
    from {{ ref('tier_explanations') }} as explanations
    inner join {{ ref('int_policy__in_force') }} as policy on explanations.as_of_date = policy.as_of_date
    left join weighted
        on explanations.as_of_date = weighted.as_of_date
        and explanations.customer_id = weighted.customer_id
        and explanations.factor = weighted.lens
    group by explanations.as_of_date, explanations.customer_id

)

select tiers.as_of_date, tiers.customer_id
from {{ ref('customer_tiers') }} as tiers
left join explained
    on tiers.as_of_date = explained.as_of_date
    and tiers.customer_id = explained.customer_id
where explained.amount is null
    or explained.amount <> tiers.tier_score
    or abs(explained.points_off) > explained.present_weight * 0.00005
    or explained.wrong_count > 0
