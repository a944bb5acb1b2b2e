{#- What people decided, where it is in force, beside what the engine decided, and what that costs: the margin of a year that a
    customer falls short of the median of those whom the engine places in the tier it was given. -#}
with tiers as (

    select policy_version, band, band_rank from {{ ref('policy_bands') }} where lens = 'tier'

),

decided as (

    select
        tiers.as_of_date, tiers.customer_id, tiers.decided_tier, tiers.tier, tiers.policy_version,
        indicators.margin_amount_365d
    from {{ ref('customer_tiers') }} as tiers
    inner join {{ ref('customer_indicators') }} as indicators
        on tiers.as_of_date = indicators.as_of_date
        and tiers.customer_id = indicators.customer_id

),

ordered as (

    select
        as_of_date, decided_tier, margin_amount_365d,
        row_number() over (
            partition by as_of_date, decided_tier order by margin_amount_365d, customer_id
        ) as nth,
        count(*) over (partition by as_of_date, decided_tier) as customer_count
    from decided

),

usual as (

    select as_of_date, decided_tier as tier, margin_amount_365d as median_margin_amount_365d
    from ordered
    where nth = {{ p50_place("customer_count") }}

),

told as (

    select
        overrides.*,
        dates.policy_version,
        decided.decided_tier,
        decided.tier,
        decided.margin_amount_365d,
        case
            when decided.customer_id is null then 'no such customer'
            when overrides.floor_tier is null and overrides.ceiling_tier is null then 'names no tier'
            when overrides.floor_tier is not null and floors.band is null then 'no such tier'
            when overrides.ceiling_tier is not null and ceilings.band is null then 'no such tier'
            when decided.tier = decided.decided_tier then 'stands'
            when decided.tier = overrides.floor_tier or decided.tier = overrides.ceiling_tier then 'moves'
            else 'outdone'
        end as effect
    from {{ ref('int_overrides__identified') }} as overrides
    inner join {{ ref('stg_run__dates') }} as dates on overrides.as_of_date = dates.as_of_date
    left join decided
        on overrides.as_of_date = decided.as_of_date
        and overrides.customer_id = decided.customer_id
    left join tiers as floors
        on dates.policy_version = floors.policy_version
        and overrides.floor_tier = floors.band
    left join tiers as ceilings
        on dates.policy_version = ceilings.policy_version
        and overrides.ceiling_tier = ceilings.band

)

select
    told.as_of_date,
    told.source_system,
    told.override_id,
    told.customer_id,
    told.floor_tier,
    told.ceiling_tier,
    told.reason,
    told.valid_from_date,
    told.valid_to_date,
    told.effect,
    told.decided_tier,
    told.tier,
    told.margin_amount_365d,
    case when told.effect = 'moves'
        then {{ money('usual.median_margin_amount_365d - told.margin_amount_365d') }}
    end as margin_shortfall_amount_365d,
    told.policy_version
from told
left join usual
    on told.as_of_date = usual.as_of_date
    and told.tier = usual.tier
