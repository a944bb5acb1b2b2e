{#- Every band of a lens in force, each with a number: int_customers__numbered says why. Those that policy_bands has are found by
    bounds or by rank; segments and fallbacks are found by name. -#}
with named as (

    {{ bands_by_name() }}
    union
    select policy_version, lens, fallback_band as band from {{ ref('policy_lenses') }}

)

select
    cast(row_number() over (order by lenses.lens_number, named.band) as integer) as band_number,
    lenses.lens_number,
    named.band,
    ruled.band is not null as is_ruled,
    ruled.band_rank,
    ruled.lower_bound,
    ruled.upper_bound,
    ruled.score
from named
inner join {{ ref('int_lenses__numbered') }} as lenses
    on named.policy_version = lenses.policy_version
    and named.lens = lenses.lens
left join {{ ref('policy_bands') }} as ruled
    on named.policy_version = ruled.policy_version
    and named.lens = ruled.lens
    and named.band = ruled.band
