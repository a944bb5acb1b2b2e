{#- Invoices with the rate of their issue date, as known over time. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'invoice_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

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
        {%- if is_incremental() %}
        and {{ of_changed_records(ref('stg_finance__invoices'), 'invoice_id', 'issued_date') }}
        {%- endif %}

)

{{ with_rates('invoices', 'invoices.issued_date', [
    'source_system', 'invoice_id', 'customer_ref', 'issued_date', 'due_date', 'total_amount', 'currency', 'batch_id',
    'source_line',
]) }}
