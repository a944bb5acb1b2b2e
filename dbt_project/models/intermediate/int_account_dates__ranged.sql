{#- First and last day with an order or a contact, as intervals of as-of dates. A day that was taken back later
    (a cancelled order) counts only while it was known, so first and last can move both ways. A run that goes on from an
    earlier date looks again at the accounts with an order or a contact since. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or (source_system, source_id) in (' ~ accounts_with_new_dates() ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}

with ledger as (

    select source_system, source_id, 'order' as kind, event_date, effective_from, order_count as happened
    from {{ ref('int_account_days') }}
    where order_count <> 0
        {%- if is_incremental() %}
        and (source_system, source_id) in ({{ accounts_with_new_dates() }})
        {%- endif %}

    union all

    select source_system, source_id, 'contact' as kind, event_date, effective_from, contact_count as happened
    from {{ ref('int_account_days') }}
    where contact_count <> 0
        {%- if is_incremental() %}
        and (source_system, source_id) in ({{ accounts_with_new_dates() }})
        {%- endif %}

),

days as (

    select day, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'day'

),

known as (

    select effective_from, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'knowledge'

),

changes as (

    select
        ledger.source_system, ledger.source_id, ledger.kind, ledger.event_date,
        greatest(days.as_of_date, known.as_of_date) as valid_from,
        sum(ledger.happened) as happened
    from ledger
    inner join days on ledger.event_date = days.day
    inner join known on ledger.effective_from = known.effective_from
    group by ledger.source_system, ledger.source_id, ledger.kind, ledger.event_date, greatest(days.as_of_date, known.as_of_date)

),

lives as (

    select
        source_system, source_id, kind, event_date, valid_from,
        sum(happened) over event_day as happened,
        lead(valid_from) over event_day as valid_to
    from changes
    window event_day as (
        partition by source_system, source_id, kind, event_date order by valid_from
        rows between unbounded preceding and current row
    )

),

lasting as (

    select
        source_system, source_id, kind, valid_from, min(event_date) as first_date, max(event_date) as last_date
    from lives
    where happened > 0 and valid_to is null
    group by source_system, source_id, kind, valid_from

)

select
    source_system,
    source_id,
    kind,
    valid_from,
    coalesce(lead(valid_from) over account_kind, {{ end_of_dates() }}) as valid_to,
    min(first_date) over account_kind as first_date,
    max(last_date) over account_kind as last_date
from lasting
window account_kind as (
    partition by source_system, source_id, kind order by valid_from
    rows between unbounded preceding and current row
)

union all

select
    source_system,
    source_id,
    kind,
    valid_from,
    valid_to,
    event_date as first_date,
    event_date as last_date
from lives
where happened > 0 and valid_to is not null
