{#- What people decided of a customer's tier, in force on each as-of date as it was known then, with the customer of the account
    it names. -#}
with dates as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }}

)

select
    dates.as_of_date,
    overrides.source_system,
    overrides.override_id,
    identity.customer_id,
    overrides.floor_tier,
    overrides.ceiling_tier,
    overrides.reason,
    overrides.valid_from as valid_from_date,
    overrides.valid_to as valid_to_date
from {{ ref('stg_reference__overrides') }} as overrides
inner join dates
    on overrides.known_from <= dates.known_at
    and overrides.known_to > dates.known_at
    and overrides.valid_from <= dates.as_of_date
    and (overrides.valid_to is null or overrides.valid_to > dates.as_of_date)
left join {{ ref('int_customers__identity') }} as identity
    on overrides.customer_system = identity.source_system
    and overrides.customer_ref = identity.source_id
    and identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
where overrides.scheme = 'tier'
