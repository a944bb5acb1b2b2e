{#- The ledger: what an account's day added, by when it was known. A later version takes the earlier one back with
    the opposite sign from the moment it is known, so that any past knowledge is a sum over effective_from. -#}
with events as (

    select * from {{ ref('int_account_events__unioned') }}

),

signed as (

    select
        source_system, source_id, event_date, window_date, known_from as effective_from,
        {{ each_measure('{m}') }}
    from events

    union all

    select
        source_system, source_id, event_date, window_date, known_to as effective_from,
        {{ each_measure('-{m} as {m}') }}
    from events
    where known_to < {{ end_of_time() }}

)

select
    source_system,
    source_id,
    event_date,
    window_date,
    effective_from,
    {{ each_measure('cast(sum({m}) as decimal(18, 4)) as {m}') }}
from signed
group by source_system, source_id, event_date, window_date, effective_from
