{#- Invoices (positive), payments on them and credit notes (negative) as events in the reporting currency. All that
    concerns an invoice converts at the rate of its issue date and carries its issue and due dates. -#}
with fx as (

    select currency, valid_date, rate from {{ ref('int_fx_rates__daily') }}

),

invoices as (

    select
        invoices.source_system,
        invoices.invoice_id,
        invoices.customer_ref,
        invoices.issued_date,
        greatest(coalesce(invoices.due_date, invoices.issued_date), invoices.issued_date) as due_date,
        invoices.total_amount,
        {{ rate_to_reporting('invoices.currency', 'fx.rate') }} as rate,
        invoices.known_from,
        invoices.known_to
    from {{ ref('stg_finance__invoices') }} as invoices
    left join fx
        on invoices.currency = fx.currency
        and invoices.issued_date = fx.valid_date
    where invoices.status <> 'void'

),

allocations as (

    select source_system, invoice_id, amount, applied_date, known_from, known_to
    from {{ ref('stg_finance__payment_allocations') }}

),

credit_notes as (

    select
        source_system, note_id, customer_ref, invoice_id, issued_date, currency, amount, known_from as version_from,
        known_to as version_to
    from {{ ref('stg_finance__credit_notes') }}

),

matched as (

    select
        credit_notes.source_system,
        credit_notes.note_id,
        credit_notes.version_from,
        credit_notes.version_to,
        invoices.issued_date,
        invoices.due_date,
        invoices.rate,
        greatest(credit_notes.version_from, invoices.known_from) as known_from,
        least(credit_notes.version_to, invoices.known_to) as known_to
    from credit_notes
    inner join invoices
        on credit_notes.source_system = invoices.source_system
        and credit_notes.invoice_id = invoices.invoice_id
        and credit_notes.version_from < invoices.known_to
        and invoices.known_from < credit_notes.version_to

),

without_invoice as (

    {{ unmatched_knowledge('credit_notes', 'matched', ['source_system', 'note_id']) }}

),

credited as (

    select source_system, note_id, version_from, issued_date, due_date, rate, known_from, known_to
    from matched

    union all

    select
        source_system, note_id, version_from, null as issued_date, null as due_date, null as rate, known_from, known_to
    from without_invoice

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
    coalesce(credited.issued_date, credit_notes.issued_date) as issued_date,
    coalesce(credited.due_date, credit_notes.issued_date) as due_date,
    {{ converted('credit_notes.amount', 'coalesce(credited.rate, ' ~ rate_to_reporting('credit_notes.currency', 'fx.rate') ~ ')') }}
        as amount,
    credited.known_from,
    credited.known_to
from credited
inner join credit_notes
    on credited.source_system = credit_notes.source_system
    and credited.note_id = credit_notes.note_id
    and credited.version_from = credit_notes.version_from
left join fx
    on credit_notes.currency = fx.currency
    and credit_notes.issued_date = fx.valid_date
