{#- Every change of tier that history holds, on the day that decided it: up, down, entered, left, and its main cause as told on
    that day. Ranks are those of the policy of the release date. -#}
with tiers as (

    select bands.band as tier, bands.band_rank as tier_rank
    from {{ ref('policy_bands') }} as bands
    inner join {{ ref('int_policy__in_force') }} as policy on bands.policy_version = policy.policy_version
    where bands.lens = 'tier'
        and policy.is_release_date

),

history as (

    select
        customer_id, tier, valid_from_date, valid_to_date,
        lag(tier) over customer as earlier_tier,
        lag(valid_to_date) over customer as earlier_to_date,
        lead(valid_from_date) over customer as later_from_date
    from {{ ref('customer_tier_history') }}
    window customer as (partition by customer_id order by valid_from_date)

),

moves as (

    select
        valid_from_date as movement_date, customer_id,
        case when earlier_to_date = valid_from_date then earlier_tier end as from_tier,
        tier as to_tier
    from history

    union all

    select valid_to_date as movement_date, customer_id, tier as from_tier, null as to_tier
    from history
    where valid_to_date is not null
        and (later_from_date is null or later_from_date > valid_to_date)

),

causes as (

    select movement.customer_id, movement.valid_from as movement_date, movement.main_cause
    from {{ ref('stg_run__decision_intervals') }} as movement
    where movement.scheme = 'tier'
        and movement.valid_from < (select min(as_of_date) from {{ ref('stg_run__dates') }})

    union all

    select customer_id, as_of_date as movement_date, main_cause
    from {{ ref('tier_changes') }}

)

select
    moves.movement_date,
    moves.customer_id,
    moves.from_tier,
    moves.to_tier,
    case
        when moves.from_tier is null then 'entered'
        when moves.to_tier is null then 'left'
        when coalesce(later.tier_rank < earlier.tier_rank, false) then 'up'
        else 'down'
    end as direction,
    case when moves.from_tier is not null and moves.to_tier is not null then causes.main_cause end as main_cause
from moves
left join tiers as earlier on moves.from_tier = earlier.tier
left join tiers as later on moves.to_tier = later.tier
left join causes
    on moves.customer_id = causes.customer_id
    and moves.movement_date = causes.movement_date
