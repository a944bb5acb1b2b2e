{{ config(meta={'dagster': {'ref': {'name': 'policy_versions'}}}) }}
-- A version without one of the tables would silently grade nobody.
{%- set required = ['policy_parameters', 'policy_windows', 'policy_order_statuses', 'policy_lenses', 'policy_bands',
    'policy_weights', 'policy_rfm_segments', 'policy_transitions'] %}
{% for seed in required %}
select versions.policy_version, '{{ seed }}' as missing
from {{ ref('policy_versions') }} as versions
where versions.policy_version not in (select policy_version from {{ ref(seed) }})
{{ "union all" if not loop.last }}
{% endfor %}
