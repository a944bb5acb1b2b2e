{{ config(meta={'dagster': {'ref': {'name': 'tier_explanations'}}}) }}
-- depends_on: {{ ref('tier_explanations') }}
-- Against the bands and weights themselves, by another path: one contribution that is not score times weight, over what the
-- weights that count sum to, is seen. The running sum is rounded, so a contribution may be off by less than a unit of its last
-- digit, and their sum by half of one. By numbers: tier_explanations shows the same rows by name.
with weighted as (

    select
        judged.as_of_date, judged.customer_number, judged.lens_number, judged.score, weights.weight,
        sum(weights.weight) over customer as present_weight
    from {{ ref('int_customers__judged') }} as judged
    inner join {{ ref('int_lenses__numbered') }} as lenses on judged.lens_number = lenses.lens_number
    inner join {{ ref('policy_weights') }} as weights
        on lenses.policy_version = weights.policy_version
        and lenses.lens = weights.factor
    where weights.target = 'tier'
        and not (judged.is_defaulted and lenses.on_missing = 'renormalise')
    window customer as (partition by judged.as_of_date, judged.customer_number)

),

explained as (

    select
        factors.as_of_date, factors.customer_number,
        sum(factors.contribution) as amount,
        sum(case when weighted.lens_number is not null then factors.contribution else 0 end) * max(weighted.present_weight)
        - sum(weighted.score * weighted.weight) as points_off,
        max(weighted.present_weight) as present_weight,
        sum(case
            when weighted.lens_number is null and factors.contribution = 0 then 0
            when factors.lens_number is null and factors.contribution = policy.tier_base_score then 0
            when abs(factors.contribution * weighted.present_weight - weighted.score * weighted.weight)
                < weighted.present_weight * 0.0001 then 0
            else 1
        end) as wrong_count
    from {{ ref('int_factors__contributed') }} as factors
    inner join {{ ref('int_policy__in_force') }} as policy on factors.as_of_date = policy.as_of_date
    left join weighted
        on factors.as_of_date = weighted.as_of_date
        and factors.customer_number = weighted.customer_number
        and factors.lens_number = weighted.lens_number
    group by factors.as_of_date, factors.customer_number

)

select tiers.as_of_date, tiers.customer_id
from {{ ref('customer_tiers') }} as tiers
left join {{ ref('int_customers__numbered') }} as customers on tiers.customer_id = customers.customer_id
left join explained
    on tiers.as_of_date = explained.as_of_date
    and customers.customer_number = explained.customer_number
where explained.amount is null
    or explained.amount <> tiers.tier_score
    or abs(explained.points_off) > explained.present_weight * 0.00005
    or explained.wrong_count > 0
