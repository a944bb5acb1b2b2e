{#- One shape for every lens. A lens that is cuts on one figure, ranks customers by it or looks up two other lenses is policy
    rows alone; RFM and ABC bring evidence marts of their own. Whom a lens cannot judge gets its fallback, flagged and
    with the reason. -#}
with population as (

    select as_of_date, customer_id, order_count_365d from {{ ref('customer_indicators') }}

),

lenses as (

    select policy.as_of_date, lenses.*
    from {{ ref('policy_lenses') }} as lenses
    inner join {{ ref('int_policy__in_force') }} as policy on lenses.policy_version = policy.policy_version

),

bands as (

    select policy_version, lens, band, lower_bound, upper_bound, score from {{ ref('policy_bands') }}

),

measured as (

    select
        indicators.as_of_date, indicators.customer_id, lenses.lens, lenses.method, lenses.policy_version,
        {{ indicator_value('indicators', 'lenses.indicator') }} as value
    from {{ ref('customer_indicators') }} as indicators
    inner join lenses on indicators.as_of_date = lenses.as_of_date
    where lenses.indicator in ('{{ cut_indicators() | join("', '") }}')

    union all

    select
        scores.as_of_date, scores.customer_id, lenses.lens, lenses.method, lenses.policy_version,
        {{ score_value('scores', 'lenses.indicator') }} as value
    from {{ ref('customer_scores') }} as scores
    inner join lenses on scores.as_of_date = lenses.as_of_date
    where lenses.indicator is not null

),

ranked as (

    select
        as_of_date, customer_id, lens, policy_version, value,
        rank() over (partition by as_of_date, lens order by value) - 1 as customers_below,
        count(*) over (partition by as_of_date, lens) as customer_count
    from measured
    where method = 'rank'
        and value is not null

),

placed as (

    select measured.as_of_date, measured.customer_id, measured.lens, measured.policy_version, measured.value, bands.score, bands.band
    from measured
    inner join bands
        on measured.policy_version = bands.policy_version
        and measured.lens = bands.lens
        and (bands.lower_bound is null or measured.value >= bands.lower_bound)
        and (bands.upper_bound is null or measured.value < bands.upper_bound)
    where measured.method = 'cut'
        and measured.value is not null

    union all

    select ranked.as_of_date, ranked.customer_id, ranked.lens, ranked.policy_version, ranked.value, bands.score, bands.band
    from ranked
    inner join bands
        on ranked.policy_version = bands.policy_version
        and ranked.lens = bands.lens
        and (bands.lower_bound is null or ranked.customers_below >= bands.lower_bound * ranked.customer_count)
        and (bands.upper_bound is null or ranked.customers_below < bands.upper_bound * ranked.customer_count)

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

    select as_of_date, customer_id, lens, value, score, band
    from placed

    union all

    select by_row.as_of_date, by_row.customer_id, cells.lens, null as value, bands.score, bands.band
    from {{ ref('policy_matrices') }} as cells
    inner join placed as by_row
        on cells.policy_version = by_row.policy_version
        and cells.row_lens = by_row.lens
        and cells.row_band = by_row.band
    inner join placed as by_column
        on cells.policy_version = by_column.policy_version
        and cells.column_lens = by_column.lens
        and cells.column_band = by_column.band
        and by_row.as_of_date = by_column.as_of_date
        and by_row.customer_id = by_column.customer_id
    inner join bands
        on cells.policy_version = bands.policy_version
        and cells.lens = bands.lens
        and cells.band = bands.band

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
        when lenses.indicator is not null then 'no value of ' || lenses.indicator || '; fed by ' || lenses.fed_by
        when lenses.method = 'matrix' then 'no band of one of: ' || lenses.fed_by
        when population.order_count_365d > 0 then 'no known cost in the window'
        else 'no counted order in the window'
    end as reason,
    lenses.policy_version
from population
inner join lenses on population.as_of_date = lenses.as_of_date
left join judged
    on population.as_of_date = judged.as_of_date
    and population.customer_id = judged.customer_id
    and lenses.lens = judged.lens
