{#- Trailing windows of every account as intervals of as-of dates: +x on the first as-of date that sees an event, -x on
    the first that has lost it, summed along the run. One date or a year of dates are one statement. -#}
with windows as (

    select windows.window_name, cast(windows.window_days as integer) as window_days
    from {{ ref('policy_windows') }} as windows
    inner join {{ ref('int_policy__in_force') }} as policy on windows.policy_version = policy.policy_version
    where policy.is_release_date

),

ledger as (

    select * from {{ ref('int_account_days') }}

),

days as (

    select day, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'day'

),

known as (

    select effective_from, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'knowledge'

),

spans as (

    select
        windows.window_name,
        greatest(days.as_of_date, known.as_of_date) as enters_on,
        leaving.as_of_date as leaves_on,
        ledger.*
    from ledger
    inner join days on ledger.event_date = days.day
    inner join known on ledger.effective_from = known.effective_from
    cross join windows
    left join days as leaving on {{ add_days('ledger.window_date', 'windows.window_days') }} = leaving.day

),

changes as (

    select
        source_system, source_id, window_name, enters_on as valid_from,
        {{ each_measure('{m}') }}
    from spans
    where leaves_on is null or enters_on < leaves_on

    union all

    select
        source_system, source_id, window_name, leaves_on as valid_from,
        {{ each_measure('-{m} as {m}') }}
    from spans
    where enters_on < leaves_on

),

daily_changes as (

    select
        source_system, source_id, window_name, valid_from,
        {{ each_measure('sum({m}) as {m}') }}
    from changes
    group by source_system, source_id, window_name, valid_from

)

select
    source_system,
    source_id,
    window_name,
    valid_from,
    coalesce(lead(valid_from) over account_window, {{ end_of_dates() }}) as valid_to,
    {{ each_measure('cast(sum({m}) over account_window as decimal(18, 4)) as {m}') }}
from daily_changes
window account_window as (
    partition by source_system, source_id, window_name
    order by valid_from
    rows between unbounded preceding and current row
)
