{{ config(meta={'dagster': {'ref': {'name': 'tier_explanations'}}}) }}
-- Against the bands and weights themselves, by another path: one contribution that is not score times weight is seen.
with weighted as (

    select
        bands.as_of_date, bands.customer_id,
        sum(cast(round(bands.score * weights.weight, 4) as decimal(18, 4))) as amount
    from {{ ref('customer_bands') }} as bands
    inner join {{ ref('policy_weights') }} as weights
        on bands.policy_version = weights.policy_version
        and bands.lens = weights.factor
    where weights.target = 'tier'
    group by bands.as_of_date, bands.customer_id

),

explained as (

    select as_of_date, customer_id, sum(contribution) as amount
    from {{ ref('tier_explanations') }}
    group by as_of_date, customer_id

)

select tiers.as_of_date, tiers.customer_id
from {{ ref('customer_tiers') }} as tiers
inner join {{ ref('int_policy__in_force') }} as policy on tiers.as_of_date = policy.as_of_date
left join explained
    on tiers.as_of_date = explained.as_of_date
    and tiers.customer_id = explained.customer_id
left join weighted
    on tiers.as_of_date = weighted.as_of_date
    and tiers.customer_id = weighted.customer_id
where explained.amount is null
    or explained.amount <> tiers.tier_score
    or weighted.amount + policy.tier_base_score <> tiers.tier_score
