{#- What each factor adds to the tier score: contributions are rounded here, once, and the score is their sum, so that
    they explain it to the last digit. The base is a factor like the others. A view: all but the weight stands in
    customer_bands. -#}
{{ config(materialized='view') }}
with policy as (

    select as_of_date, policy_version, tier_base_score from {{ ref('int_policy__in_force') }}

),

weights as (

    select policy_version, factor, weight from {{ ref('policy_weights') }} where target = 'tier'

),

bands as (

    select as_of_date, customer_id, lens, value, band, score, is_defaulted, missing_input, reason, policy_version
    from {{ ref('customer_bands') }}

)

select
    bands.as_of_date,
    bands.customer_id,
    bands.lens as factor,
    bands.value,
    bands.band,
    bands.score,
    weights.weight,
    {{ money('round(bands.score * weights.weight, 4)') }} as contribution,
    bands.is_defaulted,
    bands.missing_input,
    bands.reason,
    bands.policy_version
from bands
inner join weights
    on bands.policy_version = weights.policy_version
    and bands.lens = weights.factor

union all

select
    population.as_of_date,
    population.customer_id,
    'base' as factor,
    null as value,
    null as band,
    null as score,
    null as weight,
    {{ money('policy.tier_base_score') }} as contribution,
    false as is_defaulted,
    null as missing_input,
    null as reason,
    policy.policy_version
from {{ ref('int_customers__population') }} as population
inner join policy on population.as_of_date = policy.as_of_date
