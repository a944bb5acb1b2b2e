{#- What a customer has cost beside goods, each on the day it counts from: a write-off on its own day, as that of the
    customer of its invoice and at the rate of the invoice's day; a cost to serve on the last day of its period, since before
    it the period is not over. A write-off is known while its invoice is, a period that is none counts nowhere. -#}
{{ config(materialized='view') }}

select
    writeoffs.source_system,
    'writeoff|' || writeoffs.invoice_id || '|' || cast(writeoffs.writeoff_date as varchar) as document_id,
    invoices.customer_ref,
    'writeoff' as kind,
    writeoffs.writeoff_date as event_date,
    invoices.issued_date as rate_date,
    writeoffs.currency,
    writeoffs.amount,
    writeoffs.batch_id,
    writeoffs.source_line,
    greatest(writeoffs.known_from, invoices.known_from) as known_from,
    least(writeoffs.known_to, invoices.known_to) as known_to
from {{ ref('stg_finance__writeoffs') }} as writeoffs
inner join {{ ref('stg_finance__invoices') }} as invoices
    on writeoffs.source_system = invoices.source_system
    and writeoffs.invoice_id = invoices.invoice_id
    and writeoffs.known_from < invoices.known_to
    and invoices.known_from < writeoffs.known_to
where invoices.status <> 'void'

union all

select
    source_system,
    'service_cost|' || customer_ref || '|' || period || '|' || cost_type as document_id,
    customer_ref,
    'service_cost' as kind,
    {{ period_end('period') }} as event_date,
    {{ period_end('period') }} as rate_date,
    currency,
    amount,
    batch_id,
    source_line,
    known_from,
    known_to
from {{ ref('stg_finance__cost_to_serves') }}
where {{ period_end('period') }} is not null
