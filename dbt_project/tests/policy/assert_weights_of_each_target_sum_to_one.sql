{{ config(meta={
    'dagster': {'ref': {'name': 'policy_weights'}},
    'expected': 'the weights of a target sum to 1',
    'mend': 'change weights so that they do',
}) }}
select policy_version, target, sum(weight) as total_weight
from {{ ref('policy_weights') }}
group by policy_version, target
having sum(weight) <> 1
