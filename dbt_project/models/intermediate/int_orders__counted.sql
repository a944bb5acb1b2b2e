{#- Orders with what policy says of their status and the rate of their day, once for lines, counts and returns. -#}
with orders as (

    select
        source_system, order_id, customer_ref, business_date as order_date, status, channel, entity_id, currency,
        known_from, known_to
    from {{ ref('stg_sales__orders') }}

),

statuses as (

    select statuses.status, statuses.is_counted
    from {{ ref('policy_order_statuses') }} as statuses
    inner join {{ ref('int_policy__in_force') }} as policy on statuses.policy_version = policy.policy_version
    where policy.is_release_date

),

fx as (

    select currency, valid_date, rate from {{ ref('int_fx_rates__daily') }}

)

select
    orders.source_system,
    orders.order_id,
    orders.customer_ref,
    orders.order_date,
    orders.status,
    statuses.is_counted,
    orders.channel,
    orders.entity_id,
    orders.currency,
    {{ rate_to_reporting('orders.currency', 'fx.rate') }} as rate,
    orders.known_from,
    orders.known_to
from orders
inner join statuses on orders.status = statuses.status
left join fx
    on orders.currency = fx.currency
    and orders.order_date = fx.valid_date
