{{ config(meta={
    'dagster': {'ref': {'name': 'policy_lenses'}},
    'expected': 'a lens of method cut or rank has bands and names an indicator, or a score with its horizon, as in inactive_probability_90d',
    'mend': 'correct the indicator, add the bands, or take the lens out',
}) }}
select policy_version, lens, indicator
from {{ ref('policy_lenses') }}
where method in ('cut', 'rank')
    and (
        indicator is null
        or (
            indicator not in ('{{ cut_indicators() | join("', '") }}')
            {%- for score in cut_scores() %}
            and indicator not like '{{ score }}!_%d' escape '!'
            {%- endfor %}
        )
        or (policy_version, lens) not in (select policy_version, lens from {{ ref('policy_bands') }})
    )
