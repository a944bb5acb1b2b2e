{{ config(meta={
    'dagster': {'ref': {'name': 'policy_lenses'}},
    'expected': 'bands are of a lens of the version or of tier, each of these but those of RFM has some, and tier has weights; what reads '
        ~ 'marts of its own keeps its name: rfm and rfm_class are quantile, abc is share, lifecycle is lifecycle, lead is lead',
    'mend': 'correct the name, or add the rows',
}) }}
-- Those of RFM have segments in place of bands. Of a misspelt lens everybody would silently get the fallback.
{%- set of_their_own = {'quantile': ['rfm', 'rfm_class'], 'share': ['abc'], 'lifecycle': ['lifecycle'], 'lead': ['lead']} %}
with lenses as (

    select policy_version, lens, method from {{ ref('policy_lenses') }}

    union all

    select policy_version, 'tier' as lens, 'tier' as method from {{ ref('policy_versions') }}

)

select policy_version, lens, band, method
from lenses
full join (select policy_version, lens, band from {{ ref('policy_bands') }}) as bands using (policy_version, lens)
where method is null
    or (band is null and method <> 'quantile')
    {%- for method, named in of_their_own.items() %}
    or (method = '{{ method }}') <> (lens in ({{ quoted(named) }}))
    {%- endfor %}

union all

select lenses.policy_version, lenses.lens, null as band, lenses.method
from lenses
left join {{ ref('policy_weights') }} as weights
    on lenses.policy_version = weights.policy_version
    and lenses.lens = weights.target
where lenses.lens in ('tier', 'rfm')
    and weights.target is null
