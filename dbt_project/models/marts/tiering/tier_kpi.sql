{#- What the tiers of the release date are worth and how steady they are: size, value and conduct of their customers, and how
    many changes of the last year led back within the time the policy calls flapping. -#}
with policy as ({{ release_policy() }}),

tiers as (

    select policy.as_of_date, bands.policy_version, bands.band as tier, bands.band_rank as tier_rank
    from {{ ref('policy_bands') }} as bands
    inner join policy on bands.policy_version = policy.policy_version
    where bands.lens = 'tier'

),

expected as (

    select scores.as_of_date, scores.customer_id, scores.inactive_probability
    from {{ ref('customer_scores') }} as scores
    inner join policy on scores.as_of_date = policy.as_of_date
    inner join ({{ horizons_shown() }}) as shown
        on scores.as_of_date = shown.as_of_date
        and scores.horizon_days = shown.horizon_days

),

figures as (

    select
        decided.tier,
        count(*) as customer_count,
        sum(case when decided.tier <> decided.decided_tier then 1 else 0 end) as overruled_count,
        sum(indicators.net_amount_365d) as net_amount,
        sum(indicators.net_amount_730d - indicators.net_amount_365d) as earlier_net_amount,
        sum(indicators.margin_amount_365d) as margin_amount,
        sum(indicators.order_count_365d) as order_count,
        sum(indicators.complaint_count_365d) as complaint_count,
        sum(indicators.csat_score_365d) as csat_total,
        count(indicators.csat_score_365d) as csat_count,
        sum(case when related.relation = 'dormant' then 1 else 0 end) as dormant_count,
        sum(expected.inactive_probability) as inactive_total,
        count(expected.inactive_probability) as inactive_count
    from {{ ref('customer_tiers') }} as decided
    inner join policy on decided.as_of_date = policy.as_of_date
    inner join {{ ref('customer_indicators') }} as indicators
        on decided.as_of_date = indicators.as_of_date
        and decided.customer_id = indicators.customer_id
    left join {{ ref('customer_lifecycle') }} as related
        on decided.as_of_date = related.as_of_date
        and decided.customer_id = related.customer_id
    left join expected
        on decided.as_of_date = expected.as_of_date
        and decided.customer_id = expected.customer_id
    group by decided.tier

),

earlier as (

    select history.tier, count(*) as customer_count
    from {{ ref('customer_tier_history') }} as history
    inner join policy
        on history.valid_from_date <= policy.earlier_date
        and (history.valid_to_date is null or history.valid_to_date > policy.earlier_date)
    group by history.tier

),

changes as ({{ changes_of_a_year() }}),

steadiness as (

    select
        changes.from_tier as tier,
        {{ counted_changes() }}
    from changes
    group by changes.from_tier

)

select
    tiers.as_of_date,
    tiers.tier,
    tiers.tier_rank,
    cast(coalesce(figures.customer_count, 0) as bigint) as customer_count,
    {{ rate_of('coalesce(figures.customer_count, 0)', 'sum(figures.customer_count) over ()') }} as customer_rate,
    cast(earlier.customer_count as bigint) as earlier_customer_count,
    {{ rate_of('earlier.customer_count', 'sum(earlier.customer_count) over ()') }} as earlier_customer_rate,
    cast(coalesce(figures.overruled_count, 0) as bigint) as overruled_customer_count,
    {{ money('coalesce(figures.net_amount, 0)') }} as net_amount_365d,
    {{ rate_of('coalesce(figures.net_amount, 0)', 'sum(figures.net_amount) over ()') }} as net_amount_rate_365d,
    {{ money('coalesce(figures.margin_amount, 0)') }} as margin_amount_365d,
    {{ rate_of('coalesce(figures.margin_amount, 0)', 'sum(figures.margin_amount) over ()') }} as margin_amount_rate_365d,
    {{ rate_of('figures.net_amount - figures.earlier_net_amount', 'figures.earlier_net_amount') }} as growth_rate,
    {{ money_quotient('figures.csat_total', 'figures.csat_count') }} as csat_score_365d,
    {{ rate_of('figures.complaint_count', 'figures.order_count') }} as complaint_rate_365d,
    {{ rate_of('figures.dormant_count', 'figures.customer_count') }} as dormant_rate,
    {{ rate_of('figures.inactive_total', 'figures.inactive_count') }} as inactive_probability,
    cast(coalesce(steadiness.change_count, 0) as bigint) as change_count_365d,
    cast(coalesce(steadiness.reversed_change_count, 0) as bigint) as reversed_change_count_365d,
    {{ rate_of('steadiness.reversed_change_count', 'steadiness.change_count') }} as reversal_rate_365d,
    cast(coalesce(steadiness.changed_customer_count, 0) as bigint) as changed_customer_count_365d,
    {{ rate_of('steadiness.flapping_customer_count', 'steadiness.changed_customer_count') }} as flap_rate_365d,
    tiers.policy_version
from tiers
left join figures on tiers.tier = figures.tier
left join earlier on tiers.tier = earlier.tier
left join steadiness on tiers.tier = steadiness.tier
