{#- Which account belongs to which customer, as intervals of as-of dates. A run that goes on from an earlier date keeps
    those of the accounts that are not matched anew. By its key, decisions name an account without saying its id. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or (source_system, source_id, family) in (select source_system, source_id, family from ' ~ ref('int_accounts__rematched') ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('int_accounts__rematched') }}

with dates as (

    select as_of_date, date_number, next_date from {{ ref('int_run_dates__ordered') }}

),

islands as (

    select
        matched.*,
        dates.next_date,
        dates.date_number - row_number() over (
            partition by
                matched.source_system, matched.source_id, matched.family, matched.kind, matched.customer_id, matched.is_anchor,
                matched.rule, matched.account_count
            order by matched.as_of_date
        ) as island
    from {{ ref('int_accounts__matched') }} as matched
    inner join dates on matched.as_of_date = dates.as_of_date

)

select
    source_system,
    source_id,
    {{ short_hash("source_system || '|' || source_id") }} as account_key,
    family,
    kind,
    customer_id,
    is_anchor,
    rule,
    account_count,
    first_known_at,
    min(as_of_date) as valid_from,
    max(next_date) as valid_to
from islands
group by source_system, source_id, family, kind, customer_id, is_anchor, rule, account_count, first_known_at, island
