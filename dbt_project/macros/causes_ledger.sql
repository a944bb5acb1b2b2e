{#- The CTEs that tell when each row of a ledger enters and leaves the windows, of those that do since the decision before the
    first date of the run; what had entered by then stands at its base date. ledger_windows() says the same of sums. -#}
{% macro caused_spans(ledger, group) -%}
{%- set bounded = bounded_windows(group) -%}
run as (

    select
        {%- for window_name in bounded %}
        cast(max(case when windows.window_name = '{{ window_name }}' then windows.window_days end) as integer) as days_{{ window_name }},
        {%- endfor %}
        max(policy.as_of_date) as last_date
    from {{ ref('policy_windows') }} as windows
    inner join {{ ref('int_policy__in_force') }} as policy on windows.policy_version = policy.policy_version
    where policy.is_release_date

),

base as (

    select
        min(coalesce(earlier_date, as_of_date)) as base_date,
        min(coalesce(earlier_known_at, known_at)) as base_known_at
    from dates
    where is_first

),

resolved as (

    select kind, day, effective_from, as_of_date from {{ ref('int_run_days__resolved') }}

),

ledger as (

    select
        account_days.*,
        account_days.event_date <= base.base_date and account_days.effective_from <= base.base_known_at as is_in_base,
        {%- for window_name in bounded %}
        {{ add_days('account_days.window_date', 'run.days_' ~ window_name) }} as gone_{{ window_name }},
        {%- endfor %}
        base.base_date
    from {{ ledger }} as account_days
    cross join run
    cross join base
    where account_days.event_date > base.base_date
        or account_days.effective_from > base.base_known_at
        {%- for window_name in bounded %}
        or {{ add_days('account_days.window_date', 'run.days_' ~ window_name) }} between {{ add_days('base.base_date', 1) }} and run.last_date
        {%- endfor %}

),

spans as (

    select
        ledger.*,
        {%- for window_name in bounded %}
        case when ledger.gone_{{ window_name }} > ledger.base_date then leaving_{{ window_name }}.as_of_date else ledger.base_date end
            as leaves_{{ window_name }},
        {%- endfor %}
        case when ledger.is_in_base then ledger.base_date else greatest(entering.as_of_date, known.as_of_date) end as enters_on
    from ledger
    left join resolved as entering on entering.kind = 'day' and ledger.event_date = entering.day
    left join resolved as known on known.kind = 'knowledge' and ledger.effective_from = known.effective_from
    {%- for window_name in bounded %}
    left join resolved as leaving_{{ window_name }}
        on leaving_{{ window_name }}.kind = 'day'
        and ledger.gone_{{ window_name }} = leaving_{{ window_name }}.day
    {%- endfor %}
    where ledger.is_in_base
        or (entering.as_of_date is not null and known.as_of_date is not null)

)
{%- endmacro %}

{#- The CTEs that tell what accounts brought to a customer, and took from one, by what was known of them before the date. -#}
{% macro caused_identity(windows, group) -%}
regrouped as (

    select as_of_date, source_system, source_id, customer_id, direction from {{ ref('int_accounts__regrouped') }}

),

told_of_accounts as (

    select
        changed.as_of_date, changed.source_system, changed.source_id,
        {{ each_windowed('windows.{n}', group=group) }}
    from (select distinct as_of_date, source_system, source_id from regrouped) as changed
    inner join {{ windows }} as windows
        on changed.source_system = windows.source_system
        and changed.source_id = windows.source_id
        and windows.valid_from <= changed.as_of_date
        and windows.valid_to > changed.as_of_date

    union all

    select as_of_date, source_system, source_id, {{ each_windowed('-{n} as {n}', group=group) }} from entered

),

joined as (

    select
        changed.customer_id, changed.as_of_date,
        {{ each_windowed("sum(told.{n} * changed.direction) as {n}", group=group) }}
    from regrouped as changed
    inner join told_of_accounts as told
        on changed.as_of_date = told.as_of_date
        and changed.source_system = told.source_system
        and changed.source_id = told.source_id
    group by changed.customer_id, changed.as_of_date

)
{%- endmacro %}
