{#- Orders with the rate of their day as known over time and whether they count, once for lines, counts and returns.
    An order in a currency without a rate does not count until one is known. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'order_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with orders as (

    select
        source_system, order_id, customer_ref, business_date as order_date, status, channel, entity_id, currency,
        batch_id, source_line, known_from, known_to
    from {{ ref('stg_sales__orders') }}
    {%- if is_incremental() %}
    where {{ of_changed_records(ref('stg_sales__orders'), 'order_id', 'business_date') }}
    {%- endif %}

),

statuses as (

    select statuses.status, statuses.is_counted
    from {{ ref('policy_order_statuses') }} as statuses
    inner join {{ ref('int_policy__in_force') }} as policy on statuses.policy_version = policy.policy_version
    where policy.is_release_date

),

rated as (

    {{ with_rates('orders', 'orders.order_date', [
        'source_system', 'order_id', 'customer_ref', 'order_date', 'status', 'channel', 'entity_id', 'currency', 'batch_id',
        'source_line',
    ]) }}

)

select
    rated.source_system,
    rated.order_id,
    rated.customer_ref,
    rated.order_date,
    rated.status,
    statuses.is_counted and rated.rate is not null as is_counted,
    case
        when not statuses.is_counted then 'status'
        when rated.rate is null then 'no_fx_rate'
    end as uncounted_reason,
    rated.channel,
    rated.entity_id,
    rated.currency,
    rated.rate,
    rated.batch_id,
    rated.source_line,
    rated.known_from,
    rated.known_to
from rated
inner join statuses on rated.status = statuses.status
