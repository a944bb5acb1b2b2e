{#- The CTEs that tell when each row of a ledger enters and leaves the windows, of those that do since the date and knowledge of
    the CTE base; what had entered by then stands at its base date. Without these, of all. -#}
{% macro ledger_spans(ledger, group) -%}
{%- set bounded = bounded_windows(group) -%}
run as (

    select
        {%- for window_name in bounded %}
        cast(max(case when windows.window_name = '{{ window_name }}' then windows.window_days end) as integer) as days_{{ window_name }}
        {{- "," if not loop.last }}
        {%- endfor %}
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

leaving as (

    {%- for window_name in bounded %}
    select {{ add_days('days.day', '-run.days_' ~ window_name) }} as window_date
    from days
    cross join run
    inner join base on days.day > base.base_date
    {{ 'union' if not loop.last }}
    {%- endfor %}

),

moving as (

    select * from {{ new_in_ledger(ledger, '(select base_date from base)', '(select base_known_at from base)') }} as entered

    union all

    -- No ``or``: of each part, the engine reads only where its comparisons can hold.
    select *
    from {{ ledger }}
    where window_date in (select window_date from leaving)
        and event_date <= (select base_date from base)
        and effective_from <= (select base_known_at from base)

),

ledger as (

    select
        moving.*,
        coalesce(moving.event_date <= base.base_date and moving.effective_from <= base.base_known_at, false) as is_in_base,
        {%- for window_name in bounded %}
        {{ add_days('moving.window_date', 'run.days_' ~ window_name) }} as gone_{{ window_name }},
        {%- endfor %}
        base.base_date
    from moving
    cross join run
    cross join base

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

)
{%- endmacro %}
