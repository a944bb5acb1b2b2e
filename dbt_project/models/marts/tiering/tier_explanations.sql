{#- Why a tier score is what it is: what int_factors__contributed holds, by name. A view: its rows stand there. -#}
{{ config(materialized='view') }}
select
    factors.as_of_date,
    customers.customer_id,
    coalesce(lenses.lens, 'base') as factor,
    factors.value,
    bands.band,
    factors.score,
    factors.weight,
    factors.present_weight,
    factors.contribution,
    factors.is_defaulted,
    factors.is_dropped,
    {{ told_of_fallback('factors') }},
    policy.policy_version
from {{ ref('int_factors__contributed') }} as factors
inner join {{ ref('int_customers__numbered') }} as customers on factors.customer_number = customers.customer_number
inner join {{ ref('int_policy__in_force') }} as policy on factors.as_of_date = policy.as_of_date
left join {{ ref('int_lenses__numbered') }} as lenses on factors.lens_number = lenses.lens_number
left join {{ ref('int_bands__numbered') }} as bands on factors.band_number = bands.band_number
