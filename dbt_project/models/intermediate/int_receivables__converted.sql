{#- Invoices (positive), payments on them and credit notes (negative) as events in the reporting currency. All that
    concerns an invoice converts at the rate of its issue date and carries its issue and due dates. -#}
{{ config(materialized='view') }}

with fx as (

    select currency, valid_from, valid_to, rate from {{ ref('int_fx_rates__filled') }}

),

invoices as (

    select
        invoices.source_system,
        invoices.invoice_id,
        invoices.customer_ref,
        invoices.issued_date,
        greatest(coalesce(invoices.due_date, invoices.issued_date), invoices.issued_date) as due_date,
        invoices.total_amount,
        fx.rate,
        invoices.known_from,
        invoices.known_to
    from {{ ref('stg_finance__invoices') }} as invoices
    left join fx
        on invoices.currency = fx.currency
        and invoices.issued_date >= fx.valid_from
        and invoices.issued_date < fx.valid_to
    where invoices.status <> 'void'

),

allocations as (

    select source_system, invoice_id, amount, applied_date, known_from, known_to
    from {{ ref('stg_finance__payment_allocations') }}

),

credit_notes as (

    select source_system, customer_ref, invoice_id, issued_date, currency, amount, known_from, known_to
    from {{ ref('stg_finance__credit_notes') }}

)

select
    source_system,
    customer_ref,
    'invoice' as kind,
    issued_date as event_date,
    issued_date,
    due_date,
    {{ converted('total_amount', 'rate') }} as amount,
    known_from,
    known_to
from invoices

union all

select
    allocations.source_system,
    invoices.customer_ref,
    'payment' as kind,
    allocations.applied_date as event_date,
    invoices.issued_date,
    invoices.due_date,
    -{{ converted('allocations.amount', 'invoices.rate') }} as amount,
    greatest(allocations.known_from, invoices.known_from) as known_from,
    least(allocations.known_to, invoices.known_to) as known_to
from allocations
inner join invoices
    on allocations.source_system = invoices.source_system
    and allocations.invoice_id = invoices.invoice_id
    and allocations.known_from < invoices.known_to
    and invoices.known_from < allocations.known_to

union all

select
    credit_notes.source_system,
    credit_notes.customer_ref,
    'credit_note' as kind,
    credit_notes.issued_date as event_date,
    coalesce(invoices.issued_date, credit_notes.issued_date) as issued_date,
    coalesce(invoices.due_date, credit_notes.issued_date) as due_date,
    {{ converted('credit_notes.amount', 'coalesce(invoices.rate, fx.rate)') }} as amount,
    greatest(credit_notes.known_from, coalesce(invoices.known_from, credit_notes.known_from)) as known_from,
    least(credit_notes.known_to, coalesce(invoices.known_to, credit_notes.known_to)) as known_to
from credit_notes
left join invoices
    on credit_notes.source_system = invoices.source_system
    and credit_notes.invoice_id = invoices.invoice_id
    and credit_notes.known_from < invoices.known_to
    and invoices.known_from < credit_notes.known_to
left join fx
    on credit_notes.currency = fx.currency
    and credit_notes.issued_date >= fx.valid_from
    and credit_notes.issued_date < fx.valid_to
