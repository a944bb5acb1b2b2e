{#- How every customer stands towards each tier: what int_tiers__held holds, by name. A view: its rows stand there. -#}
{{ config(materialized='view') }}
select
    held.as_of_date,
    customers.customer_id,
    tiers.band as tier,
    held.tier_rank,
    held.tier_score,
    held.defaulted_lens_count,
    held.is_earned,
    held.is_kept,
    held.last_earned_date,
    held.last_kept_date,
    held.is_held,
    held.falls_on_date,
    policy.policy_version
from {{ ref('int_tiers__held') }} as held
inner join {{ ref('int_customers__numbered') }} as customers on held.customer_number = customers.customer_number
inner join {{ ref('int_policy__in_force') }} as policy on held.as_of_date = policy.as_of_date
inner join {{ ref('policy_bands') }} as tiers
    on policy.policy_version = tiers.policy_version
    and tiers.lens = 'tier'
    and held.tier_rank = tiers.band_rank
