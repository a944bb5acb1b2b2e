{#- Who can have a tier on each as-of date: every customer with an account known then, unless one of its accounts is
    the company itself. -#}
select
    dates.as_of_date,
    identity.customer_id,
    cast(count(*) as bigint) as account_count,
    min(identity.first_known_at) as first_known_at
from {{ ref('int_customers__identity') }} as identity
inner join {{ ref('stg_run__dates') }} as dates
    on identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
group by dates.as_of_date, identity.customer_id
having max(case when identity.kind = 'internal' then 1 else 0 end) = 0
