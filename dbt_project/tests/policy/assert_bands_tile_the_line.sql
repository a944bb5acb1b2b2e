{{ config(meta={
    'dagster': {'ref': {'name': 'policy_bands'}},
    'expected': 'the bands of a lens tile the line: each lower_bound is the upper_bound of the band below, the outer ends are empty',
    'mend': 'make the bounds of neighbouring bands equal',
}) }}
-- Per lens the bands leave no gap and do not overlap: each starts where the one below it ends, and both ends are open.
-- Of what judges no figure the bands have no bounds.
with bands as (

    select
        policy_version, lens, band, lower_bound, upper_bound,
        lag(upper_bound) over bands_upwards as upper_bound_below,
        row_number() over bands_upwards as nth,
        count(*) over (partition by policy_version, lens) as band_count
    from {{ ref('policy_bands') }}
    where (policy_version, lens) not in (
        select policy_version, lens from {{ ref('policy_lenses') }} where method not in ({{ quoted(line_methods()) }})
    )
    window bands_upwards as (partition by policy_version, lens order by lower_bound nulls first, band)

)

select policy_version, lens, band, lower_bound, upper_bound, upper_bound_below
from bands
where (nth = 1 and lower_bound is not null)
    or (nth = band_count and upper_bound is not null)
    or (nth > 1 and (lower_bound is null or upper_bound_below is null or lower_bound <> upper_bound_below))
