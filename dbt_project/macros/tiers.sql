{#- A rank of a tier held between the floor and the ceiling of a relation, where it has any; 1 is the highest. -#}
{% macro rank_within(rank, limits) -%}
greatest(least({{ rank }}, coalesce({{ limits }}.floor_rank, {{ rank }})), coalesce({{ limits }}.ceiling_rank, 1))
{%- endmacro %}

{#- The tier score of so many points of so much weight: nothing without any. By the whole weight there is nothing to divide, only to
    round. -#}
{% macro score_of(points, weight) -%}
case
    when {{ weight }} = 1 then {{ money('cast(' ~ points ~ ' as decimal(18, 8))') }}
    when {{ weight }} > 0 then {{ per_weight(points, weight) }}
    else 0
end
{%- endmacro %}

{#- The release date with the policy's days of flapping, and the days of a year and of drift before it. -#}
{% macro release_policy() %}
select
    policy.as_of_date, policy.policy_version, policy.tier_reversal_days, windows.window_days as year_days,
    {{ add_days('policy.as_of_date', '-policy.tier_drift_days') }} as earlier_date,
    {{ add_days('policy.as_of_date', '-windows.window_days') }} as before_date
from {{ ref('int_policy__in_force') }} as policy
inner join {{ ref('policy_windows') }} as windows
    on policy.policy_version = windows.policy_version
    and windows.window_name = '365d'
where policy.is_release_date
{% endmacro %}

{#- The changes of tier of the year before the release date, and whether a later one led back, or beyond, within the days that its
    policy calls flapping. A select on the CTE policy, that of the release date, whose ranks count. -#}
{% macro changes_of_a_year() %}
select
    moves.movement_date, moves.customer_id, moves.from_tier, moves.main_cause,
    count(later.movement_date) > 0 as is_reversed
from ({{ ranked_changes() }}) as moves
left join ({{ ranked_changes() }}) as later
    on moves.customer_id = later.customer_id
    and later.movement_date > moves.movement_date
    and later.movement_date <= {{ add_days('moves.movement_date', 'moves.tier_reversal_days') }}
    and sign(later.to_rank - moves.from_rank) <> sign(moves.to_rank - moves.from_rank)
group by moves.movement_date, moves.customer_id, moves.from_tier, moves.main_cause
{% endmacro %}

{% macro ranked_changes() %}
select
    changes.movement_date, changes.customer_id, changes.from_tier, changes.main_cause,
    from_tiers.band_rank as from_rank, to_tiers.band_rank as to_rank, policy.tier_reversal_days
from {{ ref('tier_movements') }} as changes
inner join policy on changes.movement_date > policy.before_date
inner join {{ ref('policy_bands') }} as from_tiers
    on policy.policy_version = from_tiers.policy_version
    and from_tiers.lens = 'tier'
    and changes.from_tier = from_tiers.band
inner join {{ ref('policy_bands') }} as to_tiers
    on policy.policy_version = to_tiers.policy_version
    and to_tiers.lens = 'tier'
    and changes.to_tier = to_tiers.band
{% endmacro %}

{#- How many changes led out of each tier, how many of them led back, and of how many customers: a select list on changes. -#}
{% macro counted_changes() -%}
count(*) as change_count,
        sum(case when changes.is_reversed then 1 else 0 end) as reversed_change_count,
        count(distinct changes.customer_id) as changed_customer_count,
        count(distinct case when changes.is_reversed then changes.customer_id end) as flapping_customer_count
{%- endmacro %}
