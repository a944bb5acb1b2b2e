{#- Invoices (positive), payments on them and credit notes (negative) as events in the reporting currency. All that
    concerns an invoice converts at the rate of its issue date, carries its issue and due dates and counts when it does. -#}
with invoices as (

    select
        source_system,
        invoice_id,
        customer_ref,
        issued_date,
        greatest(coalesce(due_date, issued_date), issued_date) as due_date,
        total_amount,
        currency,
        batch_id,
        source_line,
        known_from,
        known_to
    from {{ ref('stg_finance__invoices') }}
    where status <> 'void'

),

rated_invoices as (

    {{ with_rates('invoices', 'invoices.issued_date', [
        'source_system', 'invoice_id', 'customer_ref', 'issued_date', 'due_date', 'total_amount', 'currency', 'batch_id',
        'source_line',
    ]) }}

),

parents as (

    select
        source_system, invoice_id as parent_id, issued_date as parent_issued_date, due_date as parent_due_date,
        rate is null as is_parent_unrated, known_from, known_to
    from rated_invoices

),

allocations as (

    select source_system, invoice_id, amount, applied_date, batch_id, source_line, known_from, known_to
    from {{ ref('stg_finance__payment_allocations') }}

),

credit_notes as (

    select
        source_system, customer_ref, invoice_id, issued_date, currency, amount, batch_id, source_line, known_from, known_to
    from {{ ref('stg_finance__credit_notes') }}

),

credited as (

    {{ beside_parent(
        'credit_notes', ['source_system', 'customer_ref', 'issued_date', 'currency', 'amount', 'batch_id', 'source_line'],
        'parents', ['parent_issued_date', 'parent_due_date', 'is_parent_unrated'],
        'credit_notes.invoice_id = parents.parent_id'
    ) }}

),

rated_notes as (

    {{ with_rates('credited', 'coalesce(credited.parent_issued_date, credited.issued_date)', [
        'source_system', 'customer_ref', 'issued_date', 'currency', 'amount', 'batch_id', 'source_line',
        'parent_issued_date', 'parent_due_date', 'is_parent_unrated',
    ]) }}

),

events as (

    select
        source_system, customer_ref, 'invoice' as kind, issued_date as event_date, issued_date, due_date, currency,
        {{ converted('total_amount', 'rate') }} as amount,
        batch_id, source_line, known_from, known_to
    from rated_invoices

    union all

    select
        invoices.source_system, invoices.customer_ref, 'payment' as kind, allocations.applied_date as event_date,
        invoices.issued_date, invoices.due_date, invoices.currency,
        -{{ converted('allocations.amount', 'invoices.rate') }} as amount,
        allocations.batch_id, allocations.source_line,
        greatest(allocations.known_from, invoices.known_from) as known_from,
        least(allocations.known_to, invoices.known_to) as known_to
    from allocations
    inner join rated_invoices as invoices
        on allocations.source_system = invoices.source_system
        and allocations.invoice_id = invoices.invoice_id
        and allocations.known_from < invoices.known_to
        and invoices.known_from < allocations.known_to

    union all

    select
        source_system, customer_ref, 'credit_note' as kind, issued_date as event_date,
        coalesce(parent_issued_date, issued_date) as issued_date,
        coalesce(parent_due_date, issued_date) as due_date,
        currency,
        case when not coalesce(is_parent_unrated, false) then {{ converted('amount', 'rate') }} end as amount,
        batch_id, source_line, known_from, known_to
    from rated_notes

)

select
    source_system,
    customer_ref,
    kind,
    event_date,
    issued_date,
    due_date,
    currency,
    amount,
    case when amount is null then 'no_fx_rate' end as uncounted_reason,
    batch_id,
    source_line,
    known_from,
    known_to
from events
