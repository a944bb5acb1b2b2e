{#- The customers whose habits of buying may read otherwise than on the date the run goes on from: their trade was touched, or
    some of it has left a window or ended a row of purchases by itself; or what their lines say, or were of, is known otherwise.
    Without such a date, every customer with trade. -#}
with run as (

    select as_of_date as last_date, consecutive_gap_days from {{ ref('int_policy__in_force') }} where is_release_date

),

products as (

    select changed.source_system, changed.product_id
    from {{ changed_rows('as_of_known_at', ref('stg_sales__products')) }} as changed

),

accounts as (

    select source_system, customer_ref
    from {{ ref('int_orders__counted') }}
    where (source_system, order_id) in (select source_system, order_id from {{ ref('int_orders__touched') }})

    union

    select source_system, customer_ref
    from {{ ref('int_order_lines__converted') }}
    where (source_system, product_id) in (select source_system, product_id from products)

)

select customer_id from {{ ref('int_customers__touched') }}

union

select customer_id
from {{ ref('int_customers__windowed') }}
where customer_id is not null
    and valid_from > coalesce({{ built('as_of_date') }}, {{ start_of_dates() }})

union

select trade.customer_id
from {{ ref('int_customer_days') }} as trade
cross join run
where trade.order_count > 0
    and {{ add_days('trade.event_date', 'run.consecutive_gap_days') }} >= {{ built('as_of_date') }}
    and {{ add_days('trade.event_date', 'run.consecutive_gap_days') }} < run.last_date

union

select identity.customer_id
from {{ ref('int_customers__identity') }} as identity
inner join accounts
    on identity.source_system = accounts.source_system
    and identity.source_id = accounts.customer_ref
where identity.family = 'sales'
