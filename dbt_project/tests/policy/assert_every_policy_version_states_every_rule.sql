{{ config(meta={
    'dagster': {'ref': {'name': 'policy_versions'}},
    'expected': 'each version of policy_versions.csv has rows in each file (those of matrices, labels, parts, gates and actions may be without), and no row has another',
    'mend': 'copy the rows of another version under the name of this one, or correct the name of the version',
}) }}
-- A version without one of the tables would silently grade nobody, and rows of one that is not stated are read by nobody.
{%- set required = ['policy_parameters', 'policy_windows', 'policy_order_statuses', 'policy_lenses', 'policy_bands',
    'policy_weights', 'policy_rfm_metrics', 'policy_rfm_segments', 'policy_transitions', 'policy_balance_kinds'] %}
{%- set optional = ['policy_matrices', 'policy_labels', 'policy_parts', 'policy_gates', 'policy_actions'] %}
{% for seed in required %}
select versions.policy_version, '{{ seed }}' as seed, 'has no row' as problem
from {{ ref('policy_versions') }} as versions
where versions.policy_version not in (select policy_version from {{ ref(seed) }})
union all
{% endfor %}
{%- for seed in required + optional %}
select distinct policy_version, '{{ seed }}' as seed, 'is not stated' as problem
from {{ ref(seed) }}
where policy_version not in (select policy_version from {{ ref('policy_versions') }})
{{ "union all" if not loop.last }}
{%- endfor %}
