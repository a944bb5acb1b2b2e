{{ config(meta={'dagster': {'ref': {'name': 'stg_sales__orders'}}}) }}
-- An order whose status no rule mentions would drop out of every sum.
select distinct orders.status
from {{ ref('stg_sales__orders') }} as orders
where orders.status not in (
    select statuses.status
    from {{ ref('policy_order_statuses') }} as statuses
    inner join {{ ref('int_policy__in_force') }} as policy on statuses.policy_version = policy.policy_version
    where policy.is_release_date
)
