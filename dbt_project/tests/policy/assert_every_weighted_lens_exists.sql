{{ config(meta={
    'dagster': {'ref': {'name': 'policy_weights'}},
    'expected': 'the factors of target tier, and of a lens of method weighted, are lenses of the version',
    'mend': 'correct the name, or add the lens to policy_lenses.csv',
}) }}
select weights.policy_version, weights.factor
from {{ ref('policy_weights') }} as weights
left join {{ ref('policy_lenses') }} as lenses
    on weights.policy_version = lenses.policy_version
    and weights.factor = lenses.lens
where lenses.lens is null
    and (
        weights.target = 'tier'
        or (weights.policy_version, weights.target) in (
            select policy_version, lens from {{ ref('policy_lenses') }} where method = 'weighted'
        )
    )
