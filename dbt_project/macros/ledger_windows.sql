{#- Trailing windows of every account as intervals of as-of dates: +x on the first as-of date that sees an event, -x on
    the first that has lost it, summed along the run. One date or a year of dates are one statement. A run that goes on
    from an earlier date begins with its sums, and reads only what has entered, left or become known since. -#}
{% macro ledger_windows(ledger, group) -%}
{%- set bounded = bounded_windows(group) -%}
with base as (

    select
        {{ built('as_of_date') if is_incremental() else 'cast(null as date)' }} as base_date,
        {{ built('as_of_known_at') if is_incremental() else 'cast(null as timestamp with time zone)' }} as base_known_at

),

{{ ledger_spans(ledger, group) }},

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
