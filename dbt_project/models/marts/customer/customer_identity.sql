{#- A view: identity as it stands on the release date is not stored twice. -#}
{{ config(materialized='view') }}

select
    dates.as_of_date,
    identity.customer_id,
    identity.source_system,
    identity.source_id,
    identity.family,
    identity.kind,
    identity.is_anchor,
    identity.rule,
    identity.account_count,
    identity.first_known_at
from {{ ref('int_customers__identity') }} as identity
inner join {{ ref('stg_run__dates') }} as dates
    on identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
where dates.is_release_date
