{#- What a customer that has bought did before each as-of date ended, as intervals of as-of dates: the part of its features
    that only its own trade changes. A run that goes on from an earlier date looks again at the customers whose trade has
    changed since. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or customer_id in (select customer_id from ' ~ ref('int_customers__touched') ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}

with trade as (

    select customer_id, event_date, valid_from, valid_to, order_count, net_amount, margin_amount, costed_net_amount
    from {{ ref('int_customer_days') }}
    {%- if is_incremental() %}
    where customer_id in (select customer_id from {{ ref('int_customers__touched') }})
    {%- endif %}

),

{{ steps_of('trade') }}

select
    steps.customer_id,
    steps.valid_from,
    steps.valid_to,
    {{ purchase_features('trade') }}
from trade
inner join steps
    on trade.customer_id = steps.customer_id
    and trade.valid_from <= steps.valid_from
    and trade.valid_to > steps.valid_from
group by steps.customer_id, steps.valid_from, steps.valid_to
having sum(case when trade.order_count > 0 then 1 else 0 end) > 0
