{{ config(meta={
    'dagster': {'ref': {'name': 'policy_parts'}},
    'expected': 'a worst or best lens has a band of each rank that the bands of its parts have, and the parts have bands with ranks',
    'mend': 'add the band of that rank to the lens, or take the part out',
}) }}
-- Whose worst or best rank has no band would be judged by nobody.
select parts.policy_version, parts.lens, parts.part, bands.band
from {{ ref('policy_parts') }} as parts
left join {{ ref('policy_bands') }} as bands
    on parts.policy_version = bands.policy_version
    and parts.part = bands.lens
left join {{ ref('policy_bands') }} as own
    on parts.policy_version = own.policy_version
    and parts.lens = own.lens
    and bands.band_rank = own.band_rank
where own.band is null
