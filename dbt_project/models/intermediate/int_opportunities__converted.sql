with opportunities as (

    select
        source_system, account_id, business_date as opened_date, amount, currency, batch_id, source_line, known_from,
        known_to
    from {{ ref('stg_crm__opportunities') }}
    where not is_closed
        and amount is not null

),

rated as (

    {{ with_rates('opportunities', 'opportunities.opened_date', [
        'source_system', 'account_id', 'opened_date', 'amount', 'currency', 'batch_id', 'source_line',
    ]) }}

)

select
    source_system,
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
