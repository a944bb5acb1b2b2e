{{ config(meta={'dagster': {'ref': {'name': 'int_order_lines__converted'}}}) }}
-- An amount without an exchange rate would vanish from every sum. What was taken back by now does not matter.
with release as (

    select known_at from {{ ref('stg_run__dates') }} where is_release_date

),

amounts as (

    select source_system, line_id as record_id, currency, order_date as event_date, rate, known_from, known_to
    from {{ ref('int_order_lines__converted') }}
    where is_counted

    union all

    select source_system, return_line_id as record_id, currency, return_date as event_date, rate, known_from, known_to
    from {{ ref('int_returns__converted') }}
    where is_counted

    union all

    select source_system, customer_ref as record_id, kind as currency, event_date, amount as rate, known_from, known_to
    from {{ ref('int_receivables__converted') }}

    union all

    select
        opportunities.source_system, opportunities.opportunity_id as record_id, opportunities.currency,
        opportunities.business_date as event_date, {{ rate_to_reporting('opportunities.currency', 'fx.rate') }} as rate,
        opportunities.known_from, opportunities.known_to
    from {{ ref('stg_crm__opportunities') }} as opportunities
    left join {{ ref('int_fx_rates__daily') }} as fx
        on opportunities.currency = fx.currency
        and opportunities.business_date = fx.valid_date
    where not opportunities.is_closed
        and opportunities.amount is not null

)

select amounts.*
from amounts
inner join release
    on amounts.known_from <= release.known_at
    and amounts.known_to > release.known_at
where amounts.rate is null
