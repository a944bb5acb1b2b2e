{#- History as decided, as intervals of as-of dates: what decisions before this run say, and the tiers of this run on top
    of them. A tier that stands is one interval however often it was decided. -#}
with dates as (

    select as_of_date, date_number, next_date from {{ ref('int_run_dates__ordered') }}

),

first as (

    select as_of_date as first_date from dates where date_number = 1

),

decided as (

    select
        intervals.customer_id, intervals.tier, intervals.valid_from, intervals.valid_to,
        intervals.valid_to is not null and intervals.valid_to < first.first_date as is_over,
        first.first_date
    from {{ ref('stg_run__tier_intervals') }} as intervals
    inner join first on intervals.valid_from < first.first_date

),

standing as (

    select customer_id, tier, valid_from, 0 as date_number, first_date as next_date
    from decided
    where not is_over

    union all

    select tiers.customer_id, tiers.tier, tiers.as_of_date as valid_from, dates.date_number, dates.next_date
    from {{ ref('customer_tiers') }} as tiers
    inner join dates on tiers.as_of_date = dates.as_of_date

),

islands as (

    select
        standing.*,
        date_number - row_number() over (partition by customer_id, tier order by date_number) as island
    from standing

),

intervals as (

    select customer_id, tier, min(valid_from) as valid_from, max(next_date) as valid_to
    from islands
    group by customer_id, tier, island

    union all

    select customer_id, tier, valid_from, valid_to
    from decided
    where is_over

)

select
    intervals.customer_id,
    intervals.tier,
    intervals.valid_from as valid_from_date,
    case when intervals.valid_to < {{ end_of_dates() }} then intervals.valid_to end as valid_to_date,
    intervals.valid_to = {{ end_of_dates() }} as is_current
from intervals
