{#- First and last order and contact of every customer on each as-of date. -#}
with dates as (

    select as_of_date from {{ ref('stg_run__dates') }}

),

ranged as (

    select source_system, source_id, kind, valid_from, valid_to, first_date, last_date
    from {{ ref('int_account_dates__ranged') }}

),

identity as (

    select as_of_date, source_system, source_id, customer_id from {{ ref('int_customers__identity') }}

)

select
    dates.as_of_date,
    identity.customer_id,
    min(ranged.first_date) filter (where ranged.kind = 'order') as first_order_date,
    max(ranged.last_date) filter (where ranged.kind = 'order') as last_order_date,
    max(ranged.last_date) filter (where ranged.kind = 'contact') as last_contact_date
from ranged
inner join dates
    on ranged.valid_from <= dates.as_of_date
    and ranged.valid_to > dates.as_of_date
inner join identity
    on dates.as_of_date = identity.as_of_date
    and ranged.source_system = identity.source_system
    and ranged.source_id = identity.source_id
group by dates.as_of_date, identity.customer_id
