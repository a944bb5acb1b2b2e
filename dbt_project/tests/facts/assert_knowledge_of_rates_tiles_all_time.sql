{{ config(meta={'dagster': {'ref': {'name': 'int_fx_rates__daily'}}}) }}
-- An amount joins every interval of its day's rate that it was known in: a gap would lose it, an overlap count it twice.
with neighbours as (

    select
        currency,
        valid_date,
        known_from,
        known_to,
        lag(known_to) over valid_day as earlier_known_to,
        lead(known_from) over valid_day as later_known_from
    from {{ ref('int_fx_rates__daily') }}
    window valid_day as (partition by currency, valid_date order by known_from, known_to)

)

select currency, valid_date, known_from
from neighbours
where known_from >= known_to
    or known_from <> coalesce(earlier_known_to, cast({{ start_of_dates() }} as timestamp with time zone))
    or known_to <> coalesce(later_known_from, {{ end_of_time() }})
