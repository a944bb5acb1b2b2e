{{ config(meta={
    'dagster': {'ref': {'name': 'policy_bands'}},
    'expected': 'every rule has a label_en and a label_zh, which pages and explanations call it by',
    'mend': 'fill in the empty one',
}) }}
{%- set keys = {
    'policy_parameters': ['parameter'], 'policy_windows': ['window_name'], 'policy_lenses': ['lens'],
    'policy_bands': ['lens', 'band'], 'policy_weights': ['target', 'factor'], 'policy_rfm_segments': ['segment'],
    'policy_transitions': ['lens', 'from_band', 'to_band'],
} %}
{%- set columns = keys.values() | sum(start=[]) | unique | list %}
{% for seed, key in keys.items() %}
select
    policy_version, '{{ seed }}' as seed,
    {%- for column in columns %}
    {{ column if column in key else 'cast(null as varchar)' }} as {{ column }},
    {%- endfor %}
    label_en, label_zh
from {{ ref(seed) }}
where label_en is null
    or label_zh is null
{{ "union all" if not loop.last }}
{%- endfor %}
