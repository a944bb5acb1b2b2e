{#- Costs beside goods in the reporting currency; null and uncounted while there is no rate. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'document_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with costs as (

    select
        source_system, document_id, customer_ref, kind, event_date, rate_date, currency, amount, batch_id, source_line,
        known_from, known_to
    from {{ ref('int_costs__dated') }}
    {%- if is_incremental() %}
    where {{ of_changed_records(ref('int_costs__dated'), 'document_id', 'rate_date') }}
    {%- endif %}

),

rated as (

    {{ with_rates('costs', 'costs.rate_date', [
        'source_system', 'document_id', 'customer_ref', 'kind', 'event_date', 'currency', 'amount', 'batch_id', 'source_line',
    ]) }}

)

select
    source_system,
    document_id,
    customer_ref,
    kind,
    event_date,
    currency,
    {{ converted('amount', 'rate') }} as amount,
    case when rate is null then 'no_fx_rate' end as uncounted_reason,
    batch_id,
    source_line,
    known_from,
    known_to
from rated
