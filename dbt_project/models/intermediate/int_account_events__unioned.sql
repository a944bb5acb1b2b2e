{#- Everything that happened to an account, from three systems in one shape. An event counts from event_date on and
    leaves a window when window_date does; it is known in [known_from, known_to). What is collected leaves together
    with its invoice, so that a window never holds a payment without what was paid. Only what was known or taken back since
    the ledger was built. -#}
{{ config(materialized='view') }}

with receivables as (

    select
        source_system, customer_ref, kind, event_date, issued_date, due_date, amount,
        greatest(event_date, due_date) as counted_date,
        greatest(event_date, {{ add_days('due_date', 1) }}) as overdue_date,
        known_from, known_to
    from {{ changed_rows('known_at', ref('int_receivables__converted')) }} as receivables
    where uncounted_reason is null

)

select
    source_system, customer_ref as source_id, order_date as event_date, order_date as window_date, known_from, known_to,
    {{ event_measures({'order_count': 1}) }}
from {{ changed_rows('known_at', ref('int_orders__counted')) }} as orders
where is_counted

union all

select
    source_system, customer_ref as source_id, order_date as event_date, order_date as window_date, known_from, known_to,
    {{ event_measures({
        'gross_amount': 'gross_amount',
        'discounted_gross_amount': 'case when discount_amount > 0 then gross_amount else 0 end',
        'discount_amount': 'discount_amount',
        'net_amount': 'net_amount',
        'margin_amount': 'coalesce(margin_amount, 0)',
        'costless_amount': 'case when margin_amount is null then net_amount else 0 end',
    }) }}
from {{ changed_rows('known_at', ref('int_order_lines__converted')) }} as lines
where is_counted

union all

select
    source_system, customer_ref as source_id, return_date as event_date, return_date as window_date, known_from, known_to,
    {{ event_measures({
        'net_amount': 'net_amount',
        'returned_amount': '-net_amount',
        'margin_amount': 'coalesce(margin_amount, 0)',
        'costless_amount': 'case when margin_amount is null then net_amount else 0 end',
    }) }}
from {{ changed_rows('known_at', ref('int_returns__converted')) }} as returns
where is_counted

union all

select
    source_system, customer_ref as source_id, event_date, issued_date as window_date, known_from, known_to,
    {{ event_measures({'open_amount': 'amount'}) }}
from receivables

union all

select
    source_system, customer_ref as source_id, overdue_date as event_date, issued_date as window_date, known_from, known_to,
    {{ event_measures({'overdue_amount': 'amount'}) }}
from receivables

union all

select
    source_system, customer_ref as source_id, counted_date as event_date, issued_date as window_date, known_from, known_to,
    {{ event_measures({
        'due_amount': "case when kind <> 'payment' then amount else 0 end",
        'collected_amount': "case when kind = 'payment' then -amount else 0 end",
        'late_collected_amount': "case when kind = 'payment' and event_date > due_date then -amount else 0 end",
    }) }}
from receivables

union all

select
    source_system, account_id as source_id, opened_date as event_date, opened_date as window_date, known_from, known_to,
    {{ event_measures({'pipeline_amount': 'amount'}) }}
from {{ changed_rows('known_at', ref('int_opportunities__converted')) }} as opportunities
where uncounted_reason is null

union all

select
    source_system, account_id as source_id, business_date as event_date, business_date as window_date, known_from, known_to,
    {{ event_measures({'contact_count': 1}) }}
from {{ changed_rows('known_at', ref('stg_crm__activities')) }} as activities
