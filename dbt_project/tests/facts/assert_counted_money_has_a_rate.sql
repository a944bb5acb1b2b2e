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
