{{ config(meta={'dagster': {'ref': {'name': 'audit_quarantine'}}}) }}
-- An amount without an exchange rate would vanish from every sum: each one known now stands in quarantine, and nothing
-- that counts is without an amount. Orders, lines and returns that policy does not count are no loss.
with release as (

    select known_at from {{ ref('stg_run__dates') }} where is_release_date

),

amounts as (

    select lines.batch_id, lines.source_line, converted.is_counted, converted.net_amount as amount
    from {{ ref('int_order_lines__converted') }} as converted
    inner join release on converted.known_from <= release.known_at and converted.known_to > release.known_at
    inner join {{ ref('stg_sales__order_lines') }} as lines
        on converted.source_system = lines.source_system
        and converted.line_id = lines.line_id
        and lines.known_from <= release.known_at
        and lines.known_to > release.known_at
    where converted.net_amount is null
        and (converted.uncounted_reason is null or converted.uncounted_reason <> 'status')

    union all

    select returns.batch_id, returns.source_line, returns.is_counted, returns.net_amount as amount
    from {{ ref('int_returns__converted') }} as returns
    inner join release on returns.known_from <= release.known_at and returns.known_to > release.known_at
    where returns.net_amount is null
        and (returns.uncounted_reason is null or returns.uncounted_reason <> 'status')

    union all

    select receivables.batch_id, receivables.source_line, receivables.uncounted_reason is null as is_counted, receivables.amount
    from {{ ref('int_receivables__converted') }} as receivables
    inner join release on receivables.known_from <= release.known_at and receivables.known_to > release.known_at
    where receivables.amount is null

    union all

    select
        opportunities.batch_id, opportunities.source_line, opportunities.uncounted_reason is null as is_counted,
        opportunities.amount
    from {{ ref('int_opportunities__converted') }} as opportunities
    inner join release on opportunities.known_from <= release.known_at and opportunities.known_to > release.known_at
    where opportunities.amount is null

)

select amounts.batch_id, amounts.source_line
from amounts
left join {{ ref('audit_quarantine') }} as quarantine
    on amounts.batch_id = quarantine.batch_id
    and amounts.source_line = quarantine.source_line
where amounts.is_counted
    or quarantine.batch_id is null
