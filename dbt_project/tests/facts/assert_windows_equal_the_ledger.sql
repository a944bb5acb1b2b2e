{{ config(meta={'dagster': {'ref': {'name': 'int_account_windows__summed'}}}) }}
-- The running sums of the release date against plain sums over the ledger, window by window.
with release as (

    select as_of_date, known_at from {{ ref('stg_run__dates') }} where is_release_date

),

windows as (

    select windows.window_name, cast(windows.window_days as integer) as window_days
    from {{ ref('policy_windows') }} as windows
    inner join {{ ref('int_policy__in_force') }} as policy on windows.policy_version = policy.policy_version
    where policy.is_release_date

),

summed as (

    select windows.window_name, sum(summed.net_amount) as net_amount, sum(summed.due_amount) as due_amount
    from {{ ref('int_account_windows__summed') }} as summed
    inner join windows on summed.window_name = windows.window_name
    inner join release on summed.valid_from <= release.as_of_date and summed.valid_to > release.as_of_date
    group by windows.window_name

),

plain as (

    select windows.window_name, sum(days.net_amount) as net_amount, sum(days.due_amount) as due_amount
    from {{ ref('int_account_days') }} as days
    cross join windows
    inner join release
        on days.event_date <= release.as_of_date
        and days.effective_from <= release.known_at
        and (
            windows.window_days is null
            or {{ add_days('days.window_date', 'windows.window_days') }} > release.as_of_date
        )
    group by windows.window_name

)

select coalesce(summed.window_name, plain.window_name) as window_name
from summed
full join plain on summed.window_name = plain.window_name
where coalesce(summed.net_amount, 0) <> coalesce(plain.net_amount, 0)
    or coalesce(summed.due_amount, 0) <> coalesce(plain.due_amount, 0)
