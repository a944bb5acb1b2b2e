{#- A number for each customer of the run's dates. What has a row per customer and lens or tier is keyed by numbers, which are compared,
    grouped and kept in a fraction of the time that ids and names take; the marts say the names. They mean nothing beyond the
    run. -#}
select
    customer_id,
    cast(row_number() over (order by customer_id) as integer) as customer_number
from {{ ref('int_customers__population') }}
group by customer_id
