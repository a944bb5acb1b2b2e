{#- Account windows joined to identity last and summed by customer, as intervals of as-of dates. Events whose account is
    unknown to every customer table stay together in the row without a customer: the unattributed bucket. A run that
    goes on from an earlier date sums anew what has moved since. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('customer_id is null or valid_to < ' ~ end_of_dates() ~ ' or customer_id in (' ~ moved_customers(ref('int_account_windows__summed')) ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('stg_run__accounts') }} {{ ref('int_accounts__rematched') }}

with dates as (

    select as_of_date, next_date from {{ ref('int_run_dates__ordered') }}

),

windows as (

    select * from {{ ref('int_account_windows__summed') }}

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

moved as (

    {{ moved_customers(ref('int_account_windows__summed')) }}

)

select
    identity.customer_id,
    dates.as_of_date as valid_from,
    dates.next_date as valid_to,
    {{ each_windowed("cast(sum(windows.{n}) as {t}) as {n}") }}
from windows
inner join dates
    on windows.valid_from <= dates.as_of_date
    and windows.valid_to > dates.as_of_date
left join identity
    on windows.source_system = identity.source_system
    and windows.source_id = identity.source_id
    and identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
{%- if is_incremental() %}
where identity.customer_id is null
    or identity.customer_id in (select customer_id from moved)
{%- endif %}
group by identity.customer_id, dates.as_of_date, dates.next_date
