{#- What landing rejected, and what landed well but cannot be converted on the release date: it counts nowhere until a
    rate is known, and then leaves this list. -#}
with release as (

    select known_at from {{ ref('stg_run__dates') }} where is_release_date

),

without_a_rate as (

    select batch_id, source_line, currency, known_from, known_to
    from {{ ref('int_orders__counted') }}
    where uncounted_reason = 'no_fx_rate'

    union all

    select batch_id, source_line, currency, known_from, known_to
    from {{ ref('int_order_lines__converted') }}
    where uncounted_reason = 'no_fx_rate'

    union all

    select batch_id, source_line, currency, known_from, known_to
    from {{ ref('int_returns__converted') }}
    where uncounted_reason = 'no_fx_rate'

    union all

    select batch_id, source_line, currency, known_from, known_to
    from {{ ref('int_receivables__converted') }}
    where uncounted_reason = 'no_fx_rate'

    union all

    select batch_id, source_line, currency, known_from, known_to
    from {{ ref('int_opportunities__converted') }}
    where uncounted_reason = 'no_fx_rate'

),

set_aside as (

    select batch_id, source_line, rule, column_name, raw_text
    from {{ ref('stg_run__quarantined_rows') }}

    union all

    select
        without_a_rate.batch_id, without_a_rate.source_line, 'no_fx_rate' as rule, 'currency' as column_name,
        without_a_rate.currency as raw_text
    from without_a_rate
    inner join release
        on without_a_rate.known_from <= release.known_at
        and without_a_rate.known_to > release.known_at

)

select
    batches.source_system,
    batches.family,
    batches.entity,
    batches.file_name,
    batches.delivery_date,
    set_aside.batch_id,
    set_aside.source_line,
    set_aside.rule,
    set_aside.column_name,
    set_aside.raw_text
from set_aside
inner join {{ ref('stg_run__batches') }} as batches on set_aside.batch_id = batches.batch_id
