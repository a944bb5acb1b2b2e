{#- The tier in the order it is decided. By the score alone; by the gates; by what stands, as a tier is lost more slowly than it
    is earned, within the gates; and last by what people decided. Gates and people hold a tier between two others: first no
    lower than the highest floor, then no higher than the lowest ceiling, so that of two that contradict the ceiling counts. -#}
with dates as (

    select as_of_date, known_at, policy_version, model_version from {{ ref('stg_run__dates') }}

),

tiers as (

    select policy_version, band, band_rank from {{ ref('policy_bands') }} where lens = 'tier'

),

scored as (

    select
        as_of_date, customer_number,
        max(tier_score) as tier_score,
        max(defaulted_lens_count) as defaulted_lens_count,
        min(case when is_earned then tier_rank end) as score_rank,
        min(case when is_held then tier_rank end) as held_rank
    from {{ ref('int_tiers__held') }}
    group by as_of_date, customer_number

),

gates as (

    select
        as_of_date, customer_id,
        min(floor_rank) as floor_rank,
        max(ceiling_rank) as ceiling_rank
    from {{ ref('tier_gates') }}
    group by as_of_date, customer_id

),

orders as (

    select
        overrides.as_of_date, overrides.customer_id,
        min(floors.band_rank) as floor_rank,
        max(ceilings.band_rank) as ceiling_rank
    from {{ ref('int_overrides__identified') }} as overrides
    inner join dates on overrides.as_of_date = dates.as_of_date
    left join tiers as floors
        on dates.policy_version = floors.policy_version
        and overrides.floor_tier = floors.band
    left join tiers as ceilings
        on dates.policy_version = ceilings.policy_version
        and overrides.ceiling_tier = ceilings.band
    where (overrides.floor_tier is null or floors.band is not null)
        and (overrides.ceiling_tier is null or ceilings.band is not null)
    group by overrides.as_of_date, overrides.customer_id

),

ranked as (

    select
        scored.*,
        customers.customer_id,
        dates.policy_version,
        dates.model_version,
        dates.known_at,
        gates.floor_rank,
        gates.ceiling_rank,
        {{ rank_within('scored.score_rank', 'gates') }} as gated_rank,
        {{ rank_within('scored.held_rank', 'gates') }} as decided_rank
    from scored
    inner join dates on scored.as_of_date = dates.as_of_date
    inner join {{ ref('int_customers__numbered') }} as customers on scored.customer_number = customers.customer_number
    left join gates
        on scored.as_of_date = gates.as_of_date
        and customers.customer_id = gates.customer_id

),

moved as (

    select
        opened.as_of_date, opened.customer_id,
        {{ joined('opened.gate', 'opened.floor_rank nulls last, opened.gate') }} as gates
    from {{ ref('tier_gates') }} as opened
    inner join ranked
        on opened.as_of_date = ranked.as_of_date
        and opened.customer_id = ranked.customer_id
    where (opened.floor_rank = ranked.floor_rank and opened.floor_rank < ranked.held_rank)
        or (
            opened.ceiling_rank = ranked.ceiling_rank
            and opened.ceiling_rank > least(ranked.held_rank, coalesce(ranked.floor_rank, ranked.held_rank))
        )
    group by opened.as_of_date, opened.customer_id

),

stages as (

    select as_of_date, customer_id, band from {{ ref('customer_bands') }} where lens = 'lifecycle'

)

select
    ranked.as_of_date,
    ranked.customer_id,
    by_score.band as score_tier,
    gated.band as gated_tier,
    held.band as held_tier,
    moved.gates,
    decided.band as decided_tier,
    final.band as tier,
    final.band_rank as tier_rank,
    ranked.tier_score,
    ranked.defaulted_lens_count,
    stages.band as lifecycle_stage,
    ranked.policy_version,
    ranked.model_version,
    ranked.known_at
from ranked
left join orders
    on ranked.as_of_date = orders.as_of_date
    and ranked.customer_id = orders.customer_id
{%- for name, rank in [
    ('by_score', 'ranked.score_rank'), ('gated', 'ranked.gated_rank'), ('held', 'ranked.held_rank'),
    ('decided', 'ranked.decided_rank'), ('final', rank_within('ranked.decided_rank', 'orders')),
] %}
left join tiers as {{ name }}
    on ranked.policy_version = {{ name }}.policy_version
    and {{ name }}.band_rank = {{ rank }}
{%- endfor %}
left join moved
    on ranked.as_of_date = moved.as_of_date
    and ranked.customer_id = moved.customer_id
left join stages
    on ranked.as_of_date = stages.as_of_date
    and ranked.customer_id = stages.customer_id
