{{ config(meta={
    'dagster': {'ref': {'name': 'policy_lenses'}},
    'expected': 'a lens of method cut or rank has bands and names an indicator, or a score with its horizon, as in '
        ~ 'inactive_probability_90d; one of method label has labels and names an attribute',
    'mend': 'correct the indicator, add the bands or labels, or take the lens out',
}) }}
select policy_version, lens, indicator
from {{ ref('policy_lenses') }}
where method in ({{ quoted(figure_methods()) }})
    and (
        indicator is null
        or (
            indicator not in ({{ quoted(cut_indicators() + private_figures()) }})
            {%- for score in cut_scores() %}
            and indicator not like '{{ score }}!_%d' escape '!'
            {%- endfor %}
        )
        or (policy_version, lens) not in (select policy_version, lens from {{ ref('policy_bands') }})
    )

union all

select policy_version, lens, indicator
from {{ ref('policy_lenses') }}
where method = 'label'
    and (
        indicator is null
        or indicator not in ({{ quoted(label_attributes() + lifecycle_attributes() + private_attributes()) }})
        or (policy_version, lens) not in (select policy_version, lens from {{ ref('policy_labels') }})
    )
