{#- The day on which an invoice was settled, as known over time: the first by which what was paid on it and credited to it
    reaches its total; null while that is not so. In the invoice's own currency: a rate settles nothing. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'invoice_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with invoices as (

    select source_system, invoice_id, customer_ref, issued_date, currency, total_amount, known_from, known_to
    from {{ ref('stg_finance__invoices') }}
    where status <> 'void'
        {%- if is_incremental() %}
        and (source_system, invoice_id) in (
            select changed.source_system, changed.invoice_id
            from {{ changed_rows('known_at', ref('stg_finance__invoices')) }} as changed
            union all
            select changed.source_system, changed.invoice_id
            from {{ changed_rows('known_at', ref('stg_finance__payment_allocations')) }} as changed
            union all
            select changed.source_system, changed.invoice_id
            from {{ changed_rows('known_at', ref('stg_finance__credit_notes')) }} as changed
        )
        {%- endif %}

),

parts as (

    select
        invoices.source_system, invoices.invoice_id, allocations.applied_date as paid_date, allocations.amount,
        greatest(allocations.known_from, invoices.known_from) as known_from,
        least(allocations.known_to, invoices.known_to) as known_to
    from invoices
    inner join {{ ref('stg_finance__payment_allocations') }} as allocations
        on invoices.source_system = allocations.source_system
        and invoices.invoice_id = allocations.invoice_id
        and allocations.known_from < invoices.known_to
        and invoices.known_from < allocations.known_to

    union all

    select
        invoices.source_system, invoices.invoice_id, notes.issued_date as paid_date, -notes.amount as amount,
        greatest(notes.known_from, invoices.known_from) as known_from,
        least(notes.known_to, invoices.known_to) as known_to
    from invoices
    inner join {{ ref('stg_finance__credit_notes') }} as notes
        on invoices.source_system = notes.source_system
        and invoices.invoice_id = notes.invoice_id
        and invoices.currency = notes.currency
        and notes.known_from < invoices.known_to
        and invoices.known_from < notes.known_to

),

moments as (

    select source_system, invoice_id, known_from as moment from invoices
    union
    select source_system, invoice_id, known_from as moment from parts
    union
    select source_system, invoice_id, known_to as moment from parts where known_to < {{ end_of_time() }}

),

versions as (

    select
        invoices.source_system, invoices.invoice_id, invoices.customer_ref, invoices.issued_date, invoices.total_amount,
        moments.moment as known_from,
        least(
            invoices.known_to,
            coalesce(
                lead(moments.moment) over (
                    partition by invoices.source_system, invoices.invoice_id order by moments.moment, invoices.known_from
                ),
                invoices.known_to
            )
        ) as known_to
    from invoices
    inner join moments
        on invoices.source_system = moments.source_system
        and invoices.invoice_id = moments.invoice_id
        and invoices.known_from <= moments.moment
        and invoices.known_to > moments.moment

),

paid as (

    select
        versions.source_system, versions.invoice_id, versions.known_from, versions.total_amount, parts.paid_date,
        sum(sum(parts.amount)) over (
            partition by versions.source_system, versions.invoice_id, versions.known_from order by parts.paid_date
        ) as paid_amount
    from versions
    inner join parts
        on versions.source_system = parts.source_system
        and versions.invoice_id = parts.invoice_id
        and versions.known_from >= parts.known_from
        and versions.known_from < parts.known_to
    group by versions.source_system, versions.invoice_id, versions.known_from, versions.total_amount, parts.paid_date

),

settled as (

    select source_system, invoice_id, known_from, min(paid_date) as paid_date
    from paid
    where paid_amount >= total_amount
    group by source_system, invoice_id, known_from

)

select
    versions.source_system,
    versions.invoice_id,
    versions.customer_ref,
    versions.issued_date,
    case
        when versions.total_amount <= 0 then versions.issued_date
        when settled.paid_date is not null then greatest(settled.paid_date, versions.issued_date)
    end as settled_date,
    versions.known_from,
    versions.known_to
from versions
left join settled
    on versions.source_system = settled.source_system
    and versions.invoice_id = settled.invoice_id
    and versions.known_from = settled.known_from
