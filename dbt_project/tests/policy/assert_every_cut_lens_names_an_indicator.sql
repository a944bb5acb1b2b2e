{{ config(meta={'dagster': {'ref': {'name': 'policy_lenses'}}}) }}
select policy_version, lens, indicator
from {{ ref('policy_lenses') }}
where method = 'cut'
    and (
        indicator is null
        or indicator not in ('{{ cut_indicators() | join("', '") }}')
        or lens not in (select lens from {{ ref('policy_bands') }})
    )
