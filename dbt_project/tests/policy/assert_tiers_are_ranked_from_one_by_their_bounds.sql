{{ config(meta={
    'dagster': {'ref': {'name': 'policy_bands'}},
    'expected': 'the tier with the highest lower_bound has band_rank 1, the next one 2, and so on',
    'mend': 'change band_rank',
}) }}
-- Who holds a tier holds those below it, and a decision lists how a customer stood towards each tier by its rank.
with tiers as (

    select
        policy_version, lens, band, band_rank,
        row_number() over (partition by policy_version order by lower_bound desc nulls last, band asc) as place
    from {{ ref('policy_bands') }}
    where lens = 'tier'

)

select policy_version, lens, band, band_rank
from tiers
where band_rank <> place
