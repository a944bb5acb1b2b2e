{#- The accounts that have come to a customer (1) or left one (-1) since the decision before. On the first date of the run that
    is told by the accounts which the decision holds. Who stays with a customer for another reason comes and leaves. -#}
with dates as (

    select as_of_date, is_first from {{ ref('int_run_dates__compared') }} where earlier_date is not null

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

holders as (

    select
        dates.as_of_date, identity.source_system, identity.source_id, identity.customer_id,
        {{ short_hash("identity.source_system || '|' || identity.source_id") }} as account_key
    from identity
    inner join dates
        on identity.valid_from <= dates.as_of_date
        and identity.valid_to > dates.as_of_date
    where dates.is_first

),

decided as (

    select account_key, customer_id from {{ ref('stg_run__decided_accounts') }}

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

    select holders.as_of_date, holders.source_system, holders.source_id, holders.customer_id, 1 as direction
    from holders
    left join decided
        on holders.account_key = decided.account_key
        and holders.customer_id = decided.customer_id
    where decided.account_key is null

    union all

    select holders.as_of_date, holders.source_system, holders.source_id, decided.customer_id, -1 as direction
    from holders
    inner join decided
        on holders.account_key = decided.account_key
        and holders.customer_id <> decided.customer_id

)

select
    as_of_date, source_system, source_id, customer_id,
    cast(sum(direction) as bigint) as direction
from changes
group by as_of_date, source_system, source_id, customer_id
having sum(direction) <> 0
