{#- How many customers went from one stage to another on each day, as decided, and whether the state machine of the
    policy in force on the release date expects it. Who enters or leaves the population makes no transition. -#}
with history as (

    {{ as_decided('lifecycle', ref('customer_tiers'), 'lifecycle_stage') }}

),

moves as (

    select
        valid_from as movement_date,
        lag(band) over customer as from_stage,
        band as to_stage,
        lag(valid_to) over customer as earlier_to
    from history
    window customer as (partition by customer_id order by valid_from, valid_to)

),

rules as (

    select transitions.from_band, transitions.to_band, transitions.is_expected
    from {{ ref('policy_transitions') }} as transitions
    inner join {{ ref('int_policy__in_force') }} as policy on transitions.policy_version = policy.policy_version
    where transitions.lens = 'lifecycle'
        and policy.is_release_date

)

select
    moves.movement_date,
    moves.from_stage,
    moves.to_stage,
    cast(count(*) as bigint) as customer_count,
    coalesce(rules.is_expected, false) as is_expected
from moves
left join rules
    on moves.from_stage = rules.from_band
    and moves.to_stage = rules.to_band
where moves.earlier_to = moves.movement_date
group by moves.movement_date, moves.from_stage, moves.to_stage, rules.is_expected
