{#- The orders that may read otherwise than on the date the run goes on from: what is known of the order, its lines or its
    returns has changed, their day has come, or their customer may be another. Without such a date, every order. -#}
with orders as (

    select source_system, order_id, customer_ref, order_date, known_from, known_to from {{ ref('int_orders__counted') }}

),

accounts as (

    select source_system, source_id from {{ ref('int_accounts__rematched') }}

)

select orders.source_system, orders.order_id
from orders
where {{ changed_since('as_of_known_at', 'orders') }}
    or orders.order_date > {{ built('as_of_date') }}
    or (orders.source_system, orders.customer_ref) in (select source_system, source_id from accounts)

union

select lines.source_system, lines.order_id
from {{ ref('int_order_lines__converted') }} as lines
where {{ changed_since('as_of_known_at', 'lines') }}

union

select returns.source_system, returns.order_id
from {{ ref('int_returns__converted') }} as returns
where returns.order_id is not null
    and ({{ changed_since('as_of_known_at', 'returns') }} or returns.return_date > {{ built('as_of_date') }})
