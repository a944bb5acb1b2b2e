{#- The orders that may read otherwise than on the date the run goes on from: what is known of the order, its lines or its
    returns has changed, their day has come, or their customer may be another. Without such a date, every order. -#}
with orders as (

    select source_system, order_id, customer_ref, order_date from {{ ref('int_orders__counted') }}

),

accounts as (

    select source_system, source_id from {{ ref('int_accounts__rematched') }}

)

select changed.source_system, changed.order_id
from {{ changed_rows('as_of_known_at', ref('int_orders__counted')) }} as changed

union

select source_system, order_id
from orders
where order_date > {{ built('as_of_date') }}

union

select source_system, order_id
from orders
where (source_system, customer_ref) in (select source_system, source_id from accounts)

union

select changed.source_system, changed.order_id
from {{ changed_rows('as_of_known_at', ref('int_order_lines__converted')) }} as changed

union

select returns.source_system, returns.order_id
from {{ ref('int_returns__converted') }} as returns
where returns.order_id is not null
    and ({{ changed_since('as_of_known_at', 'returns') }} or returns.return_date > {{ built('as_of_date') }})
