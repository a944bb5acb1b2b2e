{#- The accounts that have come to a customer (1) or left one (-1) since the decision before. On the first date of the run that
    is told by the accounts which the decision holds. Who stays with a customer for another reason comes and leaves. -#}
with dates as (

    select as_of_date, is_first from {{ ref('int_run_dates__compared') }} where earlier_date is not null

),

identity as (

    select source_system, source_id, account_key, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

held_otherwise as (

    select
        dates.as_of_date, identity.source_system, identity.source_id, identity.customer_id,
        decided.customer_id as decided_customer_id
    from identity
    inner join dates
        on identity.valid_from <= dates.as_of_date
        and identity.valid_to > dates.as_of_date
    left join {{ ref('stg_run__decided_accounts') }} as decided on identity.account_key = decided.account_key
    where dates.is_first
        and (decided.customer_id is null or decided.customer_id <> identity.customer_id)

),

changes as (

    select dates.as_of_date, identity.source_system, identity.source_id, identity.customer_id, 1 as direction
    from identity
    inner join dates on identity.valid_from = dates.as_of_date
    where not dates.is_first

    union all

    select dates.as_of_date, identity.source_system, identity.source_id, identity.customer_id, -1 as direction
    from identity
    inner join dates on identity.valid_to = dates.as_of_date
    where not dates.is_first

    union all

    select as_of_date, source_system, source_id, customer_id, 1 as direction
    from held_otherwise

    union all

    select as_of_date, source_system, source_id, decided_customer_id as customer_id, -1 as direction
    from held_otherwise
    where decided_customer_id is not null

)

select
    as_of_date, source_system, source_id, customer_id,
    cast(sum(direction) as bigint) as direction
from changes
group by as_of_date, source_system, source_id, customer_id
having sum(direction) <> 0
