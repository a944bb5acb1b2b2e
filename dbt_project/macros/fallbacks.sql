{#- What stands for whom a lens cannot judge. -#}

{#- Why a lens judges somebody not, as far as its policy row can tell. -#}
{% macro unjudged_reason(lenses) -%}
case
    when {{ lenses }}.method = 'matrix' then 'no band of one of: ' || {{ lenses }}.fed_by
    when {{ lenses }}.method = 'weighted' then 'no band of any of: ' || {{ lenses }}.fed_by
    when {{ lenses }}.method in ('worst', 'best') then 'no band of what it needs of: ' || {{ lenses }}.fed_by
    when {{ lenses }}.method = 'count' then 'no band of ' || {{ lenses }}.indicator
    when {{ lenses }}.method = 'lead' then 'no lead that is not won; fed by ' || {{ lenses }}.fed_by
    when {{ lenses }}.method = 'label'
        then 'no value of ' || {{ lenses }}.indicator || ' that policy_labels knows; fed by ' || {{ lenses }}.fed_by
    when {{ lenses }}.indicator is not null then 'no value of ' || {{ lenses }}.indicator || '; fed by ' || {{ lenses }}.fed_by
end
{%- endmacro %}

{#- The same of the lenses that read evidence of sales. -#}
{% macro unsold_reason(population) -%}
case when {{ population }}.order_count_365d > 0 then 'no known cost in the window' else 'no counted order in the window' end
{%- endmacro %}

{#- Whom deciding lenses judge. A select of customer_bands, which has the CTEs judged and lenses. -#}
{% macro judged_by_deciding() %}
select judged.as_of_date, judged.customer_id, judged.lens
from judged
inner join lenses on judged.as_of_date = lenses.as_of_date and judged.lens = lenses.lens
where lenses.is_deciding
{% endmacro %}

{#- The lenses with a fallback for whom they cannot judge: those that weigh, and of others that decide those that judge anybody
    on the date. A select of customer_bands, which has the CTEs lenses and deciding. -#}
{% macro lenses_standing_in() %}
select lenses.*
from lenses
where lenses.is_deciding
    and (
        (lenses.policy_version, lenses.lens) in ({{ weighing_lenses() }})
        or (lenses.as_of_date, lenses.lens) in (select as_of_date, lens from deciding)
    )
{% endmacro %}
