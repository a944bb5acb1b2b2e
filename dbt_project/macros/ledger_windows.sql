{#- Trailing windows of every account as intervals of as-of dates: +x on the first as-of date that sees an event, -x on
    the first that has lost it, summed along the run. One date or a year of dates are one statement. A run that goes on
    from an earlier date begins with its sums, and reads only what has entered, left or become known since. -#}
{% macro ledger_windows(ledger, group) -%}
{%- set bounded = bounded_windows(group) -%}
with run as (

    select
        {%- for window_name in bounded %}
        cast(max(case when windows.window_name = '{{ window_name }}' then windows.window_days end) as integer) as days_{{ window_name }},
        {%- endfor %}
        {{ built('as_of_date') if is_incremental() else 'cast(null as date)' }} as base_date,
        {{ built('as_of_known_at') if is_incremental() else 'cast(null as timestamp with time zone)' }} as base_known_at,
        max(policy.as_of_date) as last_date
    from {{ ref('policy_windows') }} as windows
    inner join {{ ref('int_policy__in_force') }} as policy on windows.policy_version = policy.policy_version
    where policy.is_release_date

),

days as (

    select day, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'day'

),

known as (

    select effective_from, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'knowledge'

),

ledger as (

    select
        account_days.*,
        coalesce(account_days.event_date <= run.base_date and account_days.effective_from <= run.base_known_at, false) as is_in_base,
        {%- for window_name in bounded %}
        {{ add_days('account_days.window_date', 'run.days_' ~ window_name) }} as gone_{{ window_name }},
        {%- endfor %}
        run.base_date
    from {{ ledger }} as account_days
    cross join run
    where run.base_date is null
        or account_days.event_date > run.base_date
        or account_days.effective_from > run.base_known_at
        {%- for window_name in bounded %}
        or {{ add_days('account_days.window_date', 'run.days_' ~ window_name) }} between {{ add_days('run.base_date', 1) }} and run.last_date
        {%- endfor %}

),

spans as (

    select
        ledger.*,
        case when ledger.is_in_base then ledger.base_date else greatest(entering.as_of_date, known.as_of_date) end as enters_on,
        {%- for window_name in bounded %}
        case
            when ledger.gone_{{ window_name }} <= ledger.base_date then ledger.base_date else leaving_{{ window_name }}.as_of_date
        end as leaves_{{ window_name }}{{ "," if not loop.last }}
        {%- endfor %}
    from ledger
    left join days as entering on ledger.event_date = entering.day
    left join known on ledger.effective_from = known.effective_from
    {%- for window_name in bounded %}
    left join days as leaving_{{ window_name }} on ledger.gone_{{ window_name }} = leaving_{{ window_name }}.day
    {%- endfor %}
    where ledger.is_in_base
        or (entering.as_of_date is not null and known.as_of_date is not null)

),

changes as (

    select
        source_system, source_id, enters_on as valid_from,
        {{ each_windowed("case when leaves_{w} is null or enters_on < leaves_{w} then {m} else 0 end as {n}", "{m} as {n}", group=group) }}
    from spans
    where not is_in_base

    {%- for window_name in bounded %}

    union all

    select
        source_system, source_id, leaves_{{ window_name }} as valid_from,
        {{ each_windowed("-{m} as {n}", "0 as {n}", window_name, group=group) }}
    from spans
    where enters_on < leaves_{{ window_name }}
    {%- endfor %}

),

daily_changes as (

    select
        source_system, source_id, valid_from,
        {{ each_windowed("sum({n}) as {n}", group=group) }}
    from changes
    group by source_system, source_id, valid_from
    {%- if is_incremental() %}

    union all

    select
        source_system, source_id, valid_from,
        {{ each_windowed("{n}", group=group) }}
    from {{ this }}
    where (source_system, source_id) in (select source_system, source_id from changes)
    {%- endif %}

)

select
    source_system,
    source_id,
    valid_from,
    coalesce(lead(valid_from) over account, {{ end_of_dates() }}) as valid_to,
    {{ each_windowed("cast(sum({n}) over account as decimal(18, 4)) as {n}", group=group) }}
from daily_changes
window account as (
    partition by source_system, source_id
    order by valid_from
    rows between unbounded preceding and current row
)
{%- endmacro %}
