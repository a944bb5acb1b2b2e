{{ config(meta={
    'dagster': {'ref': {'name': 'policy_lenses'}},
    'expected': 'bands are of a lens of the version or of tier, each of these but rfm has some, and tier has weights; what reads '
        ~ 'marts of its own keeps its name: rfm is quantile, abc is share, lifecycle is lifecycle',
    'mend': 'correct the name, or add the rows',
}) }}
-- rfm has segments in place of bands. Of a misspelt lens everybody would silently get the fallback.
{%- set of_their_own = {'quantile': 'rfm', 'share': 'abc', 'lifecycle': 'lifecycle'} %}
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
    {%- for method, lens in of_their_own.items() %}
    or (method = '{{ method }}') <> (lens = '{{ lens }}')
    {%- endfor %}

union all

select lenses.policy_version, lenses.lens, null as band, lenses.method
from lenses
left join {{ ref('policy_weights') }} as weights
    on lenses.policy_version = weights.policy_version
    and lenses.lens = weights.target
where lenses.method in ('tier', 'quantile')
    and weights.target is null
