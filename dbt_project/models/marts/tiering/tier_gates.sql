{#- The gates that the bands of a customer open, with the ranks they hold it between. The bands that open any are found first, by
    number: few customers have one. -#}
{{ config(materialized='view') }}
with tiers as (

    select policy_version, band, band_rank from {{ ref('policy_bands') }} where lens = 'tier'

),

opening as (

    select bands.band_number, gates.*
    from {{ ref('policy_gates') }} as gates
    inner join {{ ref('int_lenses__numbered') }} as lenses
        on gates.policy_version = lenses.policy_version
        and gates.lens = lenses.lens
    inner join {{ ref('int_bands__numbered') }} as bands
        on lenses.lens_number = bands.lens_number
        and gates.band = bands.band

)

select
    judged.as_of_date,
    customers.customer_id,
    gates.gate,
    gates.lens,
    gates.band,
    gates.floor_tier,
    floors.band_rank as floor_rank,
    gates.ceiling_tier,
    ceilings.band_rank as ceiling_rank,
    gates.policy_version
from {{ ref('int_customers__judged') }} as judged
inner join opening as gates on judged.band_number = gates.band_number
inner join {{ ref('int_customers__numbered') }} as customers on judged.customer_number = customers.customer_number
left join tiers as floors
    on gates.policy_version = floors.policy_version
    and gates.floor_tier = floors.band
left join tiers as ceilings
    on gates.policy_version = ceilings.policy_version
    and gates.ceiling_tier = ceilings.band
