{#- What has changed the sums over trailing windows since the decision before, by cause. -#}

{#- Facts in another currency whose rate of the day was restated since the decision before, by the account and day that the
    ledger has them under. The others of these days' corrections are counted with them. -#}
{% macro restated_facts() -%}
{%- for relation, rate_date, window_date in [
    (ref('int_orders__counted'), 'facts.order_date', 'order_date'),
    (ref('int_returns__converted'), 'coalesce(facts.order_date, facts.return_date)', 'return_date'),
    (ref('int_receivables__converted'), 'facts.issued_date', 'issued_date'),
] %}
select distinct
    rates.as_of_date, facts.source_system, facts.customer_ref as source_id, facts.{{ window_date }} as window_date
from {{ relation }} as facts
inner join {{ ref('int_fx_rates__restated') }} as rates
    on facts.currency = rates.currency
    and {{ rate_date }} = rates.valid_date
{{ 'union' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- By customer, date and cause, how far each windowed measure was moved. A row of the ledger that entered on a date tells of a
    day since the decision before (behaviour, or returns where more came back than was bought), or of an earlier one
    (correction, or fx where a rate of its day was restated). What leaves a window has rolled off, and so has what was known
    before and has only now come due. What joined or left with an account is identity. -#}
{% macro caused_windows(ledger, windows, group) -%}
{%- set bounded = bounded_windows(group) -%}
with dates as (

    select * from {{ ref('int_run_dates__compared') }}

),

base as (

    select
        min(coalesce(earlier_date, as_of_date)) as base_date,
        min(coalesce(earlier_known_at, known_at)) as base_known_at
    from dates
    where is_first

),

{{ ledger_spans(ledger, group) }},

restated as ({{ restated_facts() }}),

entered as (

    select
        spans.enters_on as as_of_date, spans.source_system, spans.source_id,
        case
            when spans.event_date > dates.earlier_date and spans.effective_from <= dates.earlier_known_at then 'roll_off'
            when spans.event_date > dates.earlier_date
                then {{ "'behaviour'" if group != 'trade' else "case when spans.returned_amount <> 0 "
                    ~ "and abs(spans.net_amount + spans.returned_amount) < abs(spans.returned_amount) "
                    ~ "then 'returns' else 'behaviour' end" }}
            when restated.window_date is not null then 'fx'
            else 'correction'
        end as cause,
        {{ each_windowed("case when leaves_{w} is null or enters_on < leaves_{w} then {m} else 0 end as {n}", "{m} as {n}", group=group) }}
    from spans
    inner join dates on spans.enters_on = dates.as_of_date
    left join restated
        on spans.enters_on = restated.as_of_date
        and spans.source_system = restated.source_system
        and spans.source_id = restated.source_id
        and spans.window_date = restated.window_date
    where not spans.is_in_base
        and dates.earlier_date is not null

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

{{ caused_identity(windows, group) }},

by_account as (

    select as_of_date, source_system, source_id, cause, {{ each_windowed('{n}', group=group) }} from entered

    {%- for window_name in bounded %}

    union all

    select
        leaves_{{ window_name }} as as_of_date, source_system, source_id, 'roll_off' as cause,
        {{ each_windowed("-{m} as {n}", "0 as {n}", window_name, group=group) }}
    from spans
    where enters_on < leaves_{{ window_name }}
    {%- endfor %}

),

by_customer as (

    select identity.customer_id, by_account.as_of_date, by_account.cause, {{ each_windowed('by_account.{n}', group=group) }}
    from by_account
    inner join identity
        on by_account.source_system = identity.source_system
        and by_account.source_id = identity.source_id
        and identity.valid_from <= by_account.as_of_date
        and identity.valid_to > by_account.as_of_date

    union all

    select customer_id, as_of_date, 'identity' as cause, {{ each_windowed('{n}', group=group) }} from joined

)

select
    as_of_date,
    customer_id,
    cause,
    {{ each_windowed("cast(sum({n}) as decimal(18, 4)) as {n}", group=group) }}
from by_customer
group by as_of_date, customer_id, cause
{%- endmacro %}
