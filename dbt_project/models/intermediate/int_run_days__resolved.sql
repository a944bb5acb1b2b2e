{#- For each day on which something enters or leaves a window, the first as-of date of this run on or after it; and
    for each knowledge time, the first as-of date that knows it. Small on both sides, so that big tables join by
    equality only. -#}
with dates as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }}

),

windows as (

    select distinct windows.window_days
    from {{ ref('policy_windows') }} as windows
    inner join {{ ref('int_policy__in_force') }} as policy on windows.policy_version = policy.policy_version
    where policy.is_release_date and windows.window_days is not null

),

ledger_days as (

    select event_date, window_date from {{ ref('int_account_days') }}
    union
    select event_date, window_date from {{ ref('int_relation_days') }}

),

days as (

    select event_date as day from ledger_days
    union
    select {{ add_days('ledger_days.window_date', 'windows.window_days') }} as day
    from ledger_days
    cross join windows

),

known as (

    select effective_from from {{ ref('int_account_days') }}
    union
    select effective_from from {{ ref('int_relation_days') }}

)

select
    'day' as kind,
    days.day,
    cast(null as timestamp with time zone) as effective_from,
    min(dates.as_of_date) as as_of_date
from days
inner join dates on days.day <= dates.as_of_date
group by days.day

union all

select
    'knowledge' as kind,
    cast(null as date) as day,
    known.effective_from,
    min(dates.as_of_date) as as_of_date
from known
inner join dates on known.effective_from <= dates.known_at
group by known.effective_from
