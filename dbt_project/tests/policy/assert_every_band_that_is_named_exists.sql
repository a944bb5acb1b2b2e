{{ config(meta={
    'dagster': {'ref': {'name': 'policy_bands'}},
    'expected': 'labels, gates and actions name bands of their lens (of rfm, segments; a gate may name the fallback), an action as goal '
        ~ 'one or none; labels are of lenses of method label',
    'mend': 'correct the name, or add the band',
}) }}
-- What names a band that does not exist is read by nobody.
with bands as (
    {{ bands_by_name() }}
),

named as (

    select
        policy_version, 'policy_labels' as seed, lens, label, cast(null as varchar) as gate, cast(null as varchar) as goal_band, band
    from {{ ref('policy_labels') }}

    union all

    select policy_version, 'policy_actions' as seed, lens, null as label, null as gate, null as goal_band, band
    from {{ ref('policy_actions') }}

    union all

    select policy_version, 'policy_actions' as seed, lens, null as label, null as gate, goal_band, null as band
    from {{ ref('policy_actions') }}
    where goal_band is not null

    union all

    select policy_version, 'policy_gates' as seed, lens, null as label, gate, null as goal_band, band
    from {{ ref('policy_gates') }}
    where (policy_version, lens, band) not in (select policy_version, lens, fallback_band from {{ ref('policy_lenses') }})

)

select named.policy_version, named.seed, named.lens, named.label, named.gate, named.goal_band, named.band
from named
left join bands
    on named.policy_version = bands.policy_version
    and named.lens = bands.lens
    and coalesce(named.goal_band, named.band) = bands.band
left join {{ ref('policy_lenses') }} as lenses
    on named.policy_version = lenses.policy_version
    and named.lens = lenses.lens
where bands.band is null
    or lenses.lens is null
    or (named.label is not null and lenses.method <> 'label')
