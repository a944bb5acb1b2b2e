{#- Who can have a tier on each as-of date: every customer with an account known then, unless one of its accounts is
    the company itself. -#}
select
    as_of_date,
    customer_id,
    cast(count(*) as bigint) as account_count,
    min(first_known_at) as first_known_at
from {{ ref('int_customers__identity') }}
group by as_of_date, customer_id
having max(case when kind = 'internal' then 1 else 0 end) = 0
