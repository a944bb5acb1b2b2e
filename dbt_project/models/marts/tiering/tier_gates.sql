{#- The gates that the bands of a customer open, with the ranks they hold it between. -#}
{{ config(materialized='view') }}
with tiers as (

    select policy_version, band, band_rank from {{ ref('policy_bands') }} where lens = 'tier'

)

select
    bands.as_of_date,
    bands.customer_id,
    gates.gate,
    gates.lens,
    gates.band,
    gates.floor_tier,
    floors.band_rank as floor_rank,
    gates.ceiling_tier,
    ceilings.band_rank as ceiling_rank,
    gates.policy_version
from {{ ref('customer_bands') }} as bands
inner join {{ ref('policy_gates') }} as gates
    on bands.policy_version = gates.policy_version
    and bands.lens = gates.lens
    and bands.band = gates.band
left join tiers as floors
    on gates.policy_version = floors.policy_version
    and gates.floor_tier = floors.band
left join tiers as ceilings
    on gates.policy_version = ceilings.policy_version
    and gates.ceiling_tier = ceilings.band
