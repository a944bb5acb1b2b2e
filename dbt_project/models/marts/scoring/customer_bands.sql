{#- One shape for every lens: what int_customers__judged holds, by name. A view: its rows stand there. -#}
{{ config(materialized='view') }}
select
    judged.as_of_date,
    customers.customer_id,
    lenses.lens,
    judged.value,
    judged.score,
    bands.band,
    judged.is_defaulted,
    {{ told_of_fallback('judged') }},
    lenses.policy_version
from {{ ref('int_customers__judged') }} as judged
inner join {{ ref('int_customers__numbered') }} as customers on judged.customer_number = customers.customer_number
inner join {{ ref('int_lenses__numbered') }} as lenses on judged.lens_number = lenses.lens_number
left join {{ ref('int_bands__numbered') }} as bands on judged.band_number = bands.band_number
