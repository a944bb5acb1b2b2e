{#- How large and how steady each tier was under each policy that decided in the year before the release date: before and after a
    policy takes over. What it moved by itself on the days it was new is told apart. -#}
with policy as ({{ release_policy() }}),

decided as (

    select min(valid_from_date) as first_date from {{ ref('customer_tier_history') }}

),

versions as (

    select
        policy.as_of_date, policy.year_days, versions.policy_version,
        versions.policy_version = policy.policy_version as is_in_force,
        greatest(versions.effective_from, {{ add_days('policy.before_date', 1) }}, decided.first_date) as first_date,
        least({{ add_days('coalesce(versions.effective_to, ' ~ end_of_dates() ~ ')', -1) }}, policy.as_of_date) as last_date
    from {{ ref('policy_versions') }} as versions
    cross join policy
    cross join decided

),

deciding as (

    select *, {{ days_between('first_date', 'last_date') }} + 1 as day_count
    from versions
    where first_date <= last_date

),

sizes as (

    select deciding.policy_version, history.tier, count(*) as customer_count
    from {{ ref('customer_tier_history') }} as history
    inner join deciding
        on history.valid_from_date <= deciding.last_date
        and (history.valid_to_date is null or history.valid_to_date > deciding.last_date)
    group by deciding.policy_version, history.tier

),

changes as ({{ changes_of_a_year() }}),

steadiness as (

    select
        deciding.policy_version,
        changes.from_tier as tier,
        sum(case when changes.main_cause = 'policy' then 1 else 0 end) as policy_change_count,
        {{ counted_changes() }}
    from changes
    inner join deciding
        on changes.movement_date >= deciding.first_date
        and changes.movement_date <= deciding.last_date
    group by deciding.policy_version, changes.from_tier

)

select
    deciding.as_of_date,
    deciding.policy_version,
    tiers.band as tier,
    tiers.band_rank as tier_rank,
    deciding.is_in_force,
    deciding.first_date,
    deciding.last_date,
    cast(deciding.day_count as bigint) as day_count,
    cast(coalesce(sizes.customer_count, 0) as bigint) as customer_count,
    {{ rate_of('coalesce(sizes.customer_count, 0)', 'sum(sizes.customer_count) over (partition by deciding.policy_version)') }}
        as customer_rate,
    cast(coalesce(steadiness.change_count, 0) as bigint) as change_count,
    cast(coalesce(steadiness.policy_change_count, 0) as bigint) as policy_change_count,
    {{ rate_of('coalesce(steadiness.change_count, 0) * deciding.year_days', 'deciding.day_count * sizes.customer_count') }}
        as yearly_change_rate,
    cast(coalesce(steadiness.reversed_change_count, 0) as bigint) as reversed_change_count,
    {{ rate_of('steadiness.reversed_change_count', 'steadiness.change_count') }} as reversal_rate,
    {{ rate_of('steadiness.flapping_customer_count', 'steadiness.changed_customer_count') }} as flap_rate
from deciding
inner join {{ ref('policy_bands') }} as tiers
    on deciding.policy_version = tiers.policy_version
    and tiers.lens = 'tier'
left join sizes
    on deciding.policy_version = sizes.policy_version
    and tiers.band = sizes.tier
left join steadiness
    on deciding.policy_version = steadiness.policy_version
    and tiers.band = steadiness.tier
