{{ config(materialized='incremental', unique_key=['source_system', 'opportunity_id']) }}
-- depends_on: {{ ref('stg_run__builds') }}

with opportunities as (

    select
        source_system, opportunity_id, account_id, business_date as opened_date, amount, currency, batch_id, source_line,
        known_from, known_to
    from {{ ref('stg_crm__opportunities') }}
    where not is_closed
        and amount is not null
        {%- if is_incremental() %}
        and {{ of_changed_records(ref('stg_crm__opportunities'), 'opportunity_id', 'business_date') }}
        {%- endif %}

),

rated as (

    {{ with_rates('opportunities', 'opportunities.opened_date', [
        'source_system', 'opportunity_id', 'account_id', 'opened_date', 'amount', 'currency', 'batch_id', 'source_line',
    ]) }}

)

select
    source_system,
    opportunity_id,
    account_id,
    opened_date,
    currency,
    {{ converted('amount', 'rate') }} as amount,
    case when rate is null then 'no_fx_rate' end as uncounted_reason,
    batch_id,
    source_line,
    known_from,
    known_to
from rated
