{#- How many other customers say, on each as-of date, that this one recommended them (转介绍). -#}
with dates as (

    select as_of_date, known_at from {{ dates_needing(['referred_customer_count']) }} as dates

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to
    from {{ ref('int_customers__identity') }}
    where family = 'crm'

)

select
    dates.as_of_date,
    referrer.customer_id,
    cast(count(distinct referred.customer_id) as bigint) as referred_customer_count
from {{ ref('stg_crm__accounts') }} as accounts
inner join dates
    on accounts.known_from <= dates.known_at
    and accounts.known_to > dates.known_at
inner join identity as referred
    on accounts.source_system = referred.source_system
    and accounts.account_id = referred.source_id
    and referred.valid_from <= dates.as_of_date
    and referred.valid_to > dates.as_of_date
inner join identity as referrer
    on accounts.source_system = referrer.source_system
    and accounts.referred_by_account_id = referrer.source_id
    and referrer.valid_from <= dates.as_of_date
    and referrer.valid_to > dates.as_of_date
where referrer.customer_id <> referred.customer_id
group by dates.as_of_date, referrer.customer_id
