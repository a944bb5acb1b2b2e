{{ config(meta={'dagster': {'ref': {'name': 'int_account_windows__summed'}}}) }}
-- The sums as they are carried along, against plain sums over the ledger: all accounts together, every measure and window of both ledgers.
{%- set bounded = bounded_windows() %}
{%- set groups = {
    'trade': ('int_account_windows__summed', 'int_account_days'), 'relation': ('int_relation_windows__summed', 'int_relation_days'),
} %}
with release as (

    select dates.as_of_date, dates.known_at, policy.policy_version
    from {{ ref('stg_run__dates') }} as dates
    inner join {{ ref('int_policy__in_force') }} as policy on dates.as_of_date = policy.as_of_date
    where dates.is_release_date

),

lengths as (

    select
        {%- for window_name in bounded %}
        cast(max(case when windows.window_name = '{{ window_name }}' then windows.window_days end) as integer) as days_{{ window_name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('policy_windows') }} as windows
    inner join release on windows.policy_version = release.policy_version

),
{% for group, (windows, ledger) in groups.items() %}
{{ group }}_carried as (

    select
        {{ each_windowed("coalesce(sum(summed.{n}), 0) as {n}", group=group) }}
    from {{ ref(windows) }} as summed
    inner join release on summed.valid_from <= release.as_of_date and summed.valid_to > release.as_of_date

),

{{ group }}_plain as (

    select
        {{ each_windowed(
            "coalesce(sum(case when " ~ add_days('days.window_date', 'lengths.days_{w}') ~ " > release.as_of_date then days.{m} else 0 end), 0) as {n}",
            "coalesce(sum(days.{m}), 0) as {n}",
            group=group,
        ) }}
    from {{ ref(ledger) }} as days
    cross join lengths
    inner join release
        on days.event_date <= release.as_of_date
        and days.effective_from <= release.known_at

){{ "," if not loop.last }}
{% endfor %}
{%- for group in groups %}
select '{{ group }}' as ledger
from {{ group }}_carried as carried
cross join {{ group }}_plain as plain
where {{ each_windowed("carried.{n} <> plain.{n} or", group=group).replace(',', '') }} false
{{ "union all" if not loop.last }}
{%- endfor %}
