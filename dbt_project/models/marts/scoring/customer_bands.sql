{#- One shape for every lens. A lens that is cuts on one indicator is policy rows alone; RFM and ABC bring evidence
    marts of their own. Whom a lens cannot judge gets its fallback, flagged and with the reason. -#}
with population as (

    select as_of_date, customer_id, order_count_365d from {{ ref('customer_indicators') }}

),

policy as (

    select as_of_date, policy_version from {{ ref('int_policy__in_force') }}

),

lenses as (

    select policy.as_of_date, lenses.*
    from {{ ref('policy_lenses') }} as lenses
    inner join policy on lenses.policy_version = policy.policy_version

),

cut_values as (

    select
        indicators.as_of_date,
        indicators.customer_id,
        lenses.lens,
        lenses.policy_version,
        {{ indicator_value('indicators', 'lenses.indicator') }} as indicator_value
    from {{ ref('customer_indicators') }} as indicators
    inner join lenses on indicators.as_of_date = lenses.as_of_date
    where lenses.method = 'cut'

),

judged as (

    select as_of_date, customer_id, 'rfm' as lens, cast(rfm_score as decimal(28, 6)) as value, rfm_score as score, rfm_segment as band
    from {{ ref('customer_rfm') }}

    union all

    select as_of_date, customer_id, 'abc' as lens, share_before_rate as value, abc_score as score, abc_class as band
    from {{ ref('customer_abc') }}

    union all

    select as_of_date, customer_id, 'lifecycle' as lens, growth_rate as value, lifecycle_score as score, stage as band
    from {{ ref('customer_lifecycle') }}
    where stage is not null

    union all

    select
        cut_values.as_of_date, cut_values.customer_id, cut_values.lens, cut_values.indicator_value as value, bands.score, bands.band
    from cut_values
    inner join {{ ref('policy_bands') }} as bands
        on cut_values.policy_version = bands.policy_version
        and cut_values.lens = bands.lens
        and (bands.lower_bound is null or cut_values.indicator_value >= bands.lower_bound)
        and (bands.upper_bound is null or cut_values.indicator_value < bands.upper_bound)
    where cut_values.indicator_value is not null

)

select
    population.as_of_date,
    population.customer_id,
    lenses.lens,
    judged.value,
    cast(coalesce(judged.score, lenses.fallback_score) as decimal(9, 4)) as score,
    coalesce(judged.band, lenses.fallback_band) as band,
    judged.band is null as is_defaulted,
    case when judged.band is null then coalesce(lenses.indicator, lenses.fed_by) end as missing_input,
    case
        when judged.band is not null then null
        when lenses.method <> 'cut' then 'no counted order in the window'
        else 'no value of ' || lenses.indicator || '; fed by ' || lenses.fed_by
    end as reason,
    lenses.policy_version
from population
inner join lenses on population.as_of_date = lenses.as_of_date
left join judged
    on population.as_of_date = judged.as_of_date
    and population.customer_id = judged.customer_id
    and lenses.lens = judged.lens
