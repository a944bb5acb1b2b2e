{{ config(meta={'dagster': {'ref': {'name': 'int_order_lines__converted'}}}) }}
-- An amount without an exchange rate would vanish from every sum.
select source_system, line_id as record_id, currency, order_date as event_date
from {{ ref('int_order_lines__converted') }}
where is_counted and rate is null
union all
select source_system, return_line_id as record_id, currency, return_date as event_date
from {{ ref('int_returns__converted') }}
where is_counted and rate is null
union all
select source_system, customer_ref as record_id, kind as currency, event_date
from {{ ref('int_receivables__converted') }}
where amount is null
union all
select opportunities.source_system, opportunities.opportunity_id as record_id, opportunities.currency, opportunities.business_date as event_date
from {{ ref('stg_crm__opportunities') }} as opportunities
left join {{ ref('int_fx_rates__daily') }} as fx
    on opportunities.currency = fx.currency
    and opportunities.business_date = fx.valid_date
where not opportunities.is_closed
    and opportunities.amount is not null
    and {{ rate_to_reporting('opportunities.currency', 'fx.rate') }} is null
