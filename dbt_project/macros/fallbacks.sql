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

{#- What a row that may be a fallback says of it: what would light its lens up and why it stands, which lenses that read evidence of
    sales tell by whether there was any. A part of a select list that joins lenses. -#}
{% macro told_of_fallback(row) -%}
case when {{ row }}.is_defaulted then lenses.missing_input end as missing_input,
    case
        when {{ row }}.is_defaulted then coalesce(
            lenses.unjudged_reason,
            case when {{ row }}.has_order then 'no known cost in the window' else 'no counted order in the window' end
        )
    end as reason
{%- endmacro %}

{#- The deciding lenses, each on its date a bit of a word of sixty: what judges a customer adds up to one number, where a row a
    lens would have to be searched among all others. A select on the CTE lenses of int_customers__judged. -#}
{% macro deciding_lenses() %}
select
    placed.*, {{ whole_quotient('placed.place', '60') }} as word,
    cast(power(2, mod(placed.place, 60)) as bigint) as bit
from (
    select lenses.*, row_number() over (partition by lenses.as_of_date order by lenses.lens) - 1 as place
    from lenses
    where lenses.is_deciding
) as placed
{% endmacro %}

{#- The deciding lenses that judge a customer, as bits. A select on the CTEs of all stages and deciding. -#}
{% macro judged_by_deciding() %}
select judged.as_of_date, judged.customer_number, deciding.word, cast(sum(deciding.bit) as bigint) as bits
from ({{ judged_at_all_stages() }}) as judged
inner join deciding on judged.as_of_date = deciding.as_of_date and judged.lens_number = deciding.lens_number
group by judged.as_of_date, judged.customer_number, deciding.word
{% endmacro %}

{#- The lenses with a fallback for whom they cannot judge: those that weigh, and of others that decide those that judge anybody
    on the date. A select on the CTEs deciding and judged_by. -#}
{% macro lenses_standing_in() %}
select deciding.*, bands.band_number
from deciding
inner join {{ ref('int_bands__numbered') }} as bands
    on deciding.lens_number = bands.lens_number and deciding.fallback_band = bands.band
left join (select as_of_date, word, bit_or(bits) as bits from judged_by group by as_of_date, word) as anybody
    on deciding.as_of_date = anybody.as_of_date and deciding.word = anybody.word
where deciding.is_weighing or (anybody.bits & deciding.bit) <> 0
{% endmacro %}
