{#- The CTEs that tell what accounts brought to a customer, and took from one, by what was known of them before the date. -#}
{% macro caused_identity(windows, group) -%}
regrouped as (

    select as_of_date, source_system, source_id, customer_id, direction from {{ ref('int_accounts__regrouped') }}

),

told_of_accounts as (

    select
        changed.as_of_date, changed.source_system, changed.source_id,
        {{ each_windowed('windows.{n}', group=group) }}
    from (select distinct as_of_date, source_system, source_id from regrouped) as changed
    inner join {{ windows }} as windows
        on changed.source_system = windows.source_system
        and changed.source_id = windows.source_id
        and windows.valid_from <= changed.as_of_date
        and windows.valid_to > changed.as_of_date

    union all

    select as_of_date, source_system, source_id, {{ each_windowed('-{n} as {n}', group=group) }} from entered

),

joined as (

    select
        changed.customer_id, changed.as_of_date,
        {{ each_windowed("sum(told.{n} * changed.direction) as {n}", group=group) }}
    from regrouped as changed
    inner join told_of_accounts as told
        on changed.as_of_date = told.as_of_date
        and changed.source_system = told.source_system
        and changed.source_id = told.source_id
    group by changed.customer_id, changed.as_of_date

)
{%- endmacro %}
