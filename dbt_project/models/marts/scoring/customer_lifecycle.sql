{#- The stage of life by trade alone: who is new is introduced, who is dormant declines, and the others grow or decline by
    a year's net sales against the year before. Compared by multiplication. Where the year before is zero or negative
    (returns of older sales) no ratio of it means anything: any sales above zero are growth then, below zero decline, and
    zero itself is maturity. A second year is measured against a part of a year, and mostly reads as growth. -#}
with policy as (

    select
        as_of_date, policy_version, lifecycle_new_days, lifecycle_dormant_days, lifecycle_growth_ratio, lifecycle_decline_ratio
    from {{ ref('int_policy__in_force') }}

),

related as (

    select
        indicators.as_of_date,
        indicators.customer_id,
        indicators.recency_days,
        indicators.tenure_days,
        indicators.net_amount_365d,
        {{ money('indicators.net_amount_730d - indicators.net_amount_365d') }} as earlier_net_amount_365d,
        case
            when indicators.first_order_date is null then 'prospect'
            when indicators.tenure_days < policy.lifecycle_new_days then 'new'
            when indicators.recency_days >= policy.lifecycle_dormant_days then 'dormant'
            else 'established'
        end as relation,
        policy.policy_version,
        policy.lifecycle_growth_ratio,
        policy.lifecycle_decline_ratio
    from {{ ref('customer_indicators') }} as indicators
    inner join policy on indicators.as_of_date = policy.as_of_date

),

staged as (

    select
        related.*,
        case
            when relation = 'prospect' then null
            when relation = 'new' then 'introduction'
            when relation = 'dormant' then 'decline'
            when net_amount_365d > 0 and net_amount_365d >= lifecycle_growth_ratio * earlier_net_amount_365d then 'growth'
            when net_amount_365d < 0 or net_amount_365d < lifecycle_decline_ratio * earlier_net_amount_365d then 'decline'
            else 'maturity'
        end as stage
    from related

),

history as (

    {{ as_decided('lifecycle', 'staged', 'stage') }}

)

select
    staged.as_of_date,
    staged.customer_id,
    staged.relation,
    staged.stage,
    bands.score as lifecycle_score,
    staged.recency_days,
    staged.tenure_days,
    staged.net_amount_365d,
    staged.earlier_net_amount_365d,
    {{ rate_of(
        'staged.net_amount_365d - staged.earlier_net_amount_365d',
        'case when staged.earlier_net_amount_365d > 0 then staged.earlier_net_amount_365d end'
    ) }} as growth_rate,
    history.valid_from as stage_since_date,
    staged.policy_version
from staged
left join {{ ref('policy_bands') }} as bands
    on staged.policy_version = bands.policy_version
    and bands.lens = 'lifecycle'
    and staged.stage = bands.band
left join history
    on staged.customer_id = history.customer_id
    and staged.stage = history.band
    and history.valid_from <= staged.as_of_date
    and history.valid_to > staged.as_of_date
