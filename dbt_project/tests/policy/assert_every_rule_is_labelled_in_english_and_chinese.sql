{{ config(meta={
    'dagster': {'ref': {'name': 'policy_bands'}},
    'expected': 'every rule has a label_en and a label_zh (of an action, action_en and action_zh), which pages and explanations call it by',
    'mend': 'fill in the empty one',
}) }}
{%- set keys = {
    'policy_parameters': ['parameter'], 'policy_windows': ['window_name'], 'policy_lenses': ['lens'],
    'policy_bands': ['lens', 'band'], 'policy_weights': ['target', 'factor'], 'policy_rfm_segments': ['lens', 'segment'],
    'policy_rfm_metrics': ['factor'],
    'policy_transitions': ['lens', 'from_band', 'to_band'], 'policy_gates': ['gate'], 'policy_actions': ['lens', 'band'],
    'policy_balance_kinds': ['product_kind'],
} %}
{%- set columns = keys.values() | sum(start=[]) | unique | list %}
{% for seed, key in keys.items() %}
{%- set label = 'action' if seed == 'policy_actions' else 'label' %}
select
    policy_version, '{{ seed }}' as seed,
    {%- for column in columns %}
    {{ column if column in key else 'cast(null as varchar)' }} as {{ column }},
    {%- endfor %}
    {{ label }}_en as label_en, {{ label }}_zh as label_zh
from {{ ref(seed) }}
where {{ label }}_en is null
    or {{ label }}_zh is null
{{ "union all" if not loop.last }}
{%- endfor %}
