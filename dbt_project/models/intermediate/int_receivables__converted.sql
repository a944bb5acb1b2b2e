{#- Invoices (positive), payments on them and credit notes (negative) as events in the reporting currency. All that
    concerns an invoice converts at the rate of its issue date, carries its issue and due dates and counts when it does. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'kind', 'document_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with invoices as (

    select
        source_system, invoice_id, customer_ref, issued_date, due_date, total_amount, currency, rate, batch_id, source_line,
        known_from, known_to
    from {{ ref('int_invoices__rated') }}

),

changed_invoices as (

    select changed.source_system, changed.invoice_id
    from {{ changed_rows('known_at', ref('int_invoices__rated')) }} as changed

),

parents as (

    select
        source_system, invoice_id as parent_id, issued_date as parent_issued_date, due_date as parent_due_date,
        rate is null as is_parent_unrated, known_from, known_to
    from invoices

),

allocations as (

    select
        source_system, payment_id || '|' || invoice_id as document_id, invoice_id, amount, applied_date, batch_id, source_line,
        known_from, known_to
    from {{ ref('stg_finance__payment_allocations') }}
    {%- if is_incremental() %}
    where (source_system, invoice_id) in (select source_system, invoice_id from changed_invoices)
        or (source_system, payment_id, invoice_id) in (
            select changed.source_system, changed.payment_id, changed.invoice_id
            from {{ changed_rows('known_at', ref('stg_finance__payment_allocations')) }} as changed
        )
    {%- endif %}

),

credit_notes as (

    select
        source_system, note_id, customer_ref, invoice_id, issued_date, currency, amount, batch_id, source_line, known_from,
        known_to
    from {{ ref('stg_finance__credit_notes') }}
    {%- if is_incremental() %}
    where (source_system, note_id) in (
        select source_system, note_id
        from {{ ref('stg_finance__credit_notes') }}
        where (source_system, invoice_id) in (select source_system, invoice_id from changed_invoices)
        union all
        select notes.source_system, notes.note_id
        from {{ ref('stg_finance__credit_notes') }} as notes
        inner join invoices
            on notes.source_system = invoices.source_system
            and notes.invoice_id = invoices.invoice_id
        where (notes.currency, invoices.issued_date) in ({{ changed_rates() }})
    )
        or {{ of_changed_records(ref('stg_finance__credit_notes'), 'note_id', 'issued_date') }}
    {%- endif %}

),

credited as (

    {{ beside_parent(
        'credit_notes', [
            'source_system', 'note_id', 'customer_ref', 'issued_date', 'currency', 'amount', 'batch_id', 'source_line',
        ],
        'parents', ['parent_issued_date', 'parent_due_date', 'is_parent_unrated'],
        'credit_notes.invoice_id = parents.parent_id'
    ) }}

),

rated_notes as (

    {{ with_rates('credited', 'coalesce(credited.parent_issued_date, credited.issued_date)', [
        'source_system', 'note_id', 'customer_ref', 'issued_date', 'currency', 'amount', 'batch_id', 'source_line',
        'parent_issued_date', 'parent_due_date', 'is_parent_unrated',
    ]) }}

),

events as (

    select
        source_system, invoice_id as document_id, customer_ref, 'invoice' as kind, issued_date as event_date, issued_date,
        due_date, currency,
        {{ converted('total_amount', 'rate') }} as amount,
        batch_id, source_line, known_from, known_to
    from invoices
    {%- if is_incremental() %}
    where (source_system, invoice_id) in (select source_system, invoice_id from changed_invoices)
    {%- endif %}

    union all

    select
        invoices.source_system, allocations.document_id, invoices.customer_ref, 'payment' as kind,
        allocations.applied_date as event_date, invoices.issued_date, invoices.due_date, invoices.currency,
        -{{ converted('allocations.amount', 'invoices.rate') }} as amount,
        allocations.batch_id, allocations.source_line,
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
        source_system, note_id as document_id, customer_ref, 'credit_note' as kind, issued_date as event_date,
        coalesce(parent_issued_date, issued_date) as issued_date,
        coalesce(parent_due_date, issued_date) as due_date,
        currency,
        case when not coalesce(is_parent_unrated, false) then {{ converted('amount', 'rate') }} end as amount,
        batch_id, source_line, known_from, known_to
    from rated_notes

)

select
    source_system,
    document_id,
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
