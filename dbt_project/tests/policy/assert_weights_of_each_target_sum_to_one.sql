select policy_version, target, sum(weight) as total_weight
from {{ ref('policy_weights') }}
group by policy_version, target
having sum(weight) <> 1
