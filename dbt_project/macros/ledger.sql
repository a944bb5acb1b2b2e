{#- The ledger of a group of measures and its sums over trailing windows: the same for each group (see account_measures).
    What they go on from is told in incremental.sql. -#}

{#- What an account's day added, by when it was known. A later version takes the earlier one back with the opposite
    sign from the moment it is known, so that any past knowledge is a sum over effective_from, and what was known when it
    was last built stands. What names no account is that of the empty one. -#}
{% macro ledger_days(events, group) -%}
with events as (

    select * from {{ events }}

),

signed as (

    select
        source_system, source_id, event_date, window_date, known_from as effective_from,
        {{ each_measure('{m}', group) }}
    from events
    {%- if is_incremental() %}
    where known_from > {{ built('known_at') }}
    {%- endif %}

    union all

    select
        source_system, source_id, event_date, window_date, known_to as effective_from,
        {{ each_measure('-{m} as {m}', group) }}
    from events
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

{#- Account windows joined to identity last and summed by customer, as intervals of as-of dates. Events whose account is
    unknown to every customer table stay together in the row without a customer: the unattributed bucket. A run that
    goes on from an earlier date sums anew what has moved since. -#}
{% macro customer_windows(windows, group) -%}
with dates as (

    select as_of_date, next_date from {{ ref('int_run_dates__ordered') }}

),

windows as (

    select * from {{ windows }}

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

moved as (

    {{ moved_customers(windows) }}

)

select
    identity.customer_id,
    dates.as_of_date as valid_from,
    dates.next_date as valid_to,
    {{ each_windowed("cast(sum(windows.{n}) as {t}) as {n}", group=group) }}
from windows
inner join dates
    on windows.valid_from <= dates.as_of_date
    and windows.valid_to > dates.as_of_date
left join identity
    on windows.source_system = identity.source_system
    and windows.source_id = identity.source_id
    and identity.valid_from <= dates.as_of_date
    and identity.valid_to > dates.as_of_date
{%- if is_incremental() %}
where identity.customer_id is null
    or identity.customer_id in (select customer_id from moved)
{%- endif %}
group by identity.customer_id, dates.as_of_date, dates.next_date
{%- endmacro %}
