{{ config(meta={
    'dagster': {'ref': {'name': 'policy_transitions'}},
    'expected': 'a row for each ordered pair of different bands, and none for what is no band',
    'mend': 'add the row, or take it out',
}) }}
-- The state machine of the lifecycle, and of any other lens with transitions, is complete: each ordered pair of different
-- bands has its row, of the lifecycle also those with the fallback, and no row speaks of a band that does not exist.
with bands as (

    select policy_version, lens, band
    from {{ ref('policy_bands') }}
    where (policy_version, lens) in (
        select policy_version, lens from {{ ref('policy_lenses') }} where method = 'lifecycle'
        union
        select policy_version, lens from {{ ref('policy_transitions') }}
    )

    union

    select policy_version, lens, fallback_band as band from {{ ref('policy_lenses') }} where method = 'lifecycle'

),

pairs as (

    select earlier.policy_version, earlier.lens, earlier.band as from_band, later.band as to_band
    from bands as earlier
    inner join bands as later
        on earlier.policy_version = later.policy_version
        and earlier.lens = later.lens
        and earlier.band <> later.band

)

select
    coalesce(pairs.policy_version, ruled.policy_version) as policy_version,
    coalesce(pairs.lens, ruled.lens) as lens,
    coalesce(pairs.from_band, ruled.from_band) as from_band,
    coalesce(pairs.to_band, ruled.to_band) as to_band
from pairs
full join {{ ref('policy_transitions') }} as ruled
    on pairs.policy_version = ruled.policy_version
    and pairs.lens = ruled.lens
    and pairs.from_band = ruled.from_band
    and pairs.to_band = ruled.to_band
where pairs.lens is null
    or ruled.is_expected is null
