{{ config(meta={
    'dagster': {'ref': {'name': 'policy_rfm_metrics'}},
    'expected': 'recency, frequency and monetary each have a row, which names an indicator',
    'mend': 'correct the indicator, or add the row',
}) }}
select versions.policy_version, 'policy_rfm_metrics' as seed, factors.factor, metrics.indicator
from {{ ref('policy_versions') }} as versions
cross join (values ('recency'), ('frequency'), ('monetary')) as factors (factor)
left join {{ ref('policy_rfm_metrics') }} as metrics
    on versions.policy_version = metrics.policy_version
    and factors.factor = metrics.factor
where metrics.indicator is null
    or metrics.indicator not in ({{ quoted(cut_indicators()) }})
