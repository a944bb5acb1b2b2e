{#- The rate of a currency to the reporting currency on a day, given the joined row of int_fx_rates__daily. -#}
{% macro rate_to_reporting(currency, fx_rate) -%}
case
    when {{ currency }} = (select max(reporting_currency) from {{ ref('int_policy__in_force') }} where is_release_date)
        then cast(1 as decimal(18, 8))
    else {{ fx_rate }}
end
{%- endmacro %}

{#- Records with the rate they convert at, split where knowledge of that rate changes. ``records`` is a CTE with
    currency, known_from and known_to; ``date`` is the day whose rate is meant. Rates tile all of time, so that no
    knowledge of a record is lost. In the reporting currency, and where no rate was ever known, the join finds nothing
    and nothing is split: greatest and least pass over nulls. -#}
{% macro with_rates(records, date, columns) -%}
select
    {% for column in columns %}{{ records }}.{{ column }}, {% endfor %}
    {{ rate_to_reporting(records ~ '.currency', 'fx.rate') }} as rate,
    greatest({{ records }}.known_from, fx.known_from) as known_from,
    least({{ records }}.known_to, fx.known_to) as known_to
from {{ records }}
left join {{ ref('int_fx_rates__daily') }} as fx
    on {{ records }}.currency = fx.currency
    and {{ date }} = fx.valid_date
    and {{ records }}.known_from < fx.known_to
    and fx.known_from < {{ records }}.known_to
{%- endmacro %}

{#- Child records with columns of the parent they name, over all the time a version of the child is known: filled
    while the parent is known too, null before its first interval, between two and after the last. Both are CTEs with
    source_system, known_from and known_to; a parent's intervals never overlap. An empty interval at the start of each
    version is what the first gap follows. -#}
{% macro beside_parent(child, child_columns, parent, parent_columns, match) -%}
with pieces as (

    select
        {% for column in child_columns %}{{ child }}.{{ column }}, {% endfor %}
        {% for column in parent_columns %}{{ parent }}.{{ column }}, {% endfor %}
        {{ child }}.known_from as version_from,
        {{ child }}.known_to as version_to,
        greatest({{ child }}.known_from, {{ parent }}.known_from) as known_from,
        least({{ child }}.known_to, {{ parent }}.known_to) as known_to
    from {{ child }}
    inner join {{ parent }}
        on {{ child }}.source_system = {{ parent }}.source_system
        and {{ match }}
        and {{ child }}.known_from < {{ parent }}.known_to
        and {{ parent }}.known_from < {{ child }}.known_to

    union all

    select
        {{ child_columns | join(', ') }},
        {% for column in parent_columns %}null as {{ column }}, {% endfor %}
        known_from as version_from,
        known_to as version_to,
        known_from,
        known_from as known_to
    from {{ child }}

),

gaps as (

    select
        {{ child_columns | join(', ') }},
        known_to as known_from,
        coalesce(
            lead(known_from) over (partition by batch_id, source_line, version_from order by known_from, known_to),
            version_to
        ) as known_to
    from pieces

)

select {{ child_columns | join(', ') }}, {{ parent_columns | join(', ') }}, known_from, known_to
from pieces
where known_from < known_to

union all

select
    {{ child_columns | join(', ') }},
    {% for column in parent_columns %}null as {{ column }}, {% endfor %}
    known_from,
    known_to
from gaps
where known_from < known_to
{%- endmacro %}
