{#- The rate of a currency to the reporting currency on a day, given the joined row of int_fx_rates__daily. -#}
{% macro rate_to_reporting(currency, fx_rate) -%}
case
    when {{ currency }} = (select max(reporting_currency) from {{ ref('int_policy__in_force') }} where is_release_date)
        then cast(1 as decimal(18, 8))
    else {{ fx_rate }}
end
{%- endmacro %}

{#- Where a child record is known and no match of it is: before its first match, between and after. Reads the CTEs
    ``child`` and ``matched``, both with the key columns and version_from; a match has known_from and known_to. -#}
{% macro unmatched_knowledge(child, matched, keys) -%}
select {{ keys | join(', ') }}, version_from, known_from, known_to
from (
    select
        {% for key in keys %}{{ child }}.{{ key }}, {% endfor %}{{ child }}.version_from,
        {{ child }}.version_from as known_from,
        coalesce(min({{ matched }}.known_from), {{ child }}.version_to) as known_to
    from {{ child }}
    left join {{ matched }}
        on {% for key in keys %}{{ child }}.{{ key }} = {{ matched }}.{{ key }} and {% endfor %}{{ child }}.version_from = {{ matched }}.version_from
    group by {% for key in keys %}{{ child }}.{{ key }}, {% endfor %}{{ child }}.version_from, {{ child }}.version_to

    union all

    select
        {{ keys | join(', ') }}, version_from,
        known_to as known_from,
        coalesce(
            lead(known_from) over (partition by {{ keys | join(', ') }}, version_from order by known_from, known_to),
            version_to
        ) as known_to
    from {{ matched }}
) as gaps
where known_from < known_to
{%- endmacro %}
