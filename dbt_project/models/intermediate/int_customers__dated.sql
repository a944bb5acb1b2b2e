{#- First and last order and contact of every customer, as intervals of as-of dates. A run that goes on from an earlier
    date looks again at the customers of the accounts whose dates are new. -#}
{%- set moved = moved_customers(ref('int_account_dates__ranged')) %}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or customer_id in (' ~ moved_customers(ref('int_account_dates__ranged')) ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('stg_run__accounts') }} {{ ref('int_accounts__rematched') }}

with dates as (

    select as_of_date, next_date from {{ ref('int_run_dates__ordered') }}

),

ranged as (

    select source_system, source_id, kind, valid_from, valid_to, first_date, last_date
    from {{ ref('int_account_dates__ranged') }}

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to
    from {{ ref('int_customers__identity') }}
    {%- if is_incremental() %}
    where customer_id in ({{ moved }})
    {%- endif %}

)

select
    identity.customer_id,
    dates.as_of_date as valid_from,
    dates.next_date as valid_to,
    min(ranged.first_date) filter (where ranged.kind = 'order') as first_order_date,
    max(ranged.last_date) filter (where ranged.kind = 'order') as last_order_date,
    max(ranged.last_date) filter (where ranged.kind = 'contact') as last_contact_date
from ranged
inner join dates
    on ranged.valid_from <= dates.as_of_date
    and ranged.valid_to > dates.as_of_date
inner join identity
    on ranged.source_system = identity.source_system
    and ranged.source_id = identity.source_id
    and identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
group by identity.customer_id, dates.as_of_date, dates.next_date
