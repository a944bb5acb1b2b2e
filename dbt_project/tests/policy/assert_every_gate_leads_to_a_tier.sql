{{ config(meta={
    'dagster': {'ref': {'name': 'policy_gates'}},
    'expected': 'a gate has a floor_tier, a ceiling_tier or both, which are tiers, and its floor is not above its ceiling',
    'mend': 'correct the tiers',
}) }}
with tiers as (

    select policy_version, band, band_rank from {{ ref('policy_bands') }} where lens = 'tier'

)

select gates.policy_version, gates.gate
from {{ ref('policy_gates') }} as gates
left join tiers as floors
    on gates.policy_version = floors.policy_version
    and gates.floor_tier = floors.band
left join tiers as ceilings
    on gates.policy_version = ceilings.policy_version
    and gates.ceiling_tier = ceilings.band
where coalesce(gates.floor_tier, gates.ceiling_tier) is null
    or (gates.floor_tier is not null and floors.band is null)
    or (gates.ceiling_tier is not null and ceilings.band is null)
    or floors.band_rank < ceilings.band_rank
