{#- The ledger of a group of measures and its sums over trailing windows: the same for each group (see account_measures).
    What they go on from is told in incremental.sql. -#}

{#- What an account's day added, by when it was known. A later version takes the earlier one back with the opposite
    sign from the moment it is known, so that any past knowledge is a sum over effective_from, and what was known when it
    was last built stands. What names no account is that of the empty one. The signed events are set down before they are
    summed: with sums over them as they came, the relation ledger of a million customers ran out of 4 GB. -#}
{% macro ledger_days(events, group) -%}
with signed as materialized (

    select
        source_system, source_id, event_date, window_date, known_from as effective_from,
        {{ each_measure('{m}', group) }}
    from {{ events }}
    {%- if is_incremental() %}
    where known_from > {{ built('known_at') }}
    {%- endif %}

    union all

    select
        source_system, source_id, event_date, window_date, known_to as effective_from,
        {{ each_measure('-{m} as {m}', group) }}
    from {{ events }}
    where known_to < {{ end_of_time() }}
        {%- if is_incremental() %}
        and known_to > {{ built('known_at') }}
        {%- endif %}

)

select
    source_system,
    coalesce(source_id, '') as source_id,
    event_date,
    window_date,
    effective_from,
    {{ each_measure('cast(sum({m}) as decimal(18, 4)) as {m}', group) }}
from signed
group by source_system, coalesce(source_id, ''), event_date, window_date, effective_from
{%- endmacro %}
