{#- What lenses in force ask for of each customer. Each macro is the select of a CTE of int_customers__judged, which has the CTEs
    numbered and bands, and a CTE of the lenses in force by as-of date for each of asking_methods(): one CTE with another filter
    for each of them is read ten times slower by the planner. -#}

{#- A figure by its name, for each customer whom a lens in force asks for it; by name, so that what no lens asks for is
    never read. ``name`` is SQL where it depends on the row. What is shown of a private one is nothing. Most figures stand by
    number already; the number of the others is looked up. Asked method by method, the figures of one are
    read once and need not be kept to be read again. -#}
{% macro asked_for(relation, column, type, method, name=none, is_private=false) -%}
{%- set is_numbered = relation == ref('int_customers__indicated') -%}
select
    told.as_of_date, {{ 'told' if is_numbered else 'customers' }}.customer_number, lenses.lens_number,
    cast(told.{{ column }} as {{ type }}) as figure,
    cast({{ 'null' if is_private else 'told.' ~ column }} as {{ type }}) as value
from {{ relation }} as told
{%- if not is_numbered %}
inner join {{ ref('int_customers__numbered') }} as customers on told.customer_id = customers.customer_id
{%- endif %}
inner join {{ method }}_lenses as lenses on told.as_of_date = lenses.as_of_date
where lenses.indicator = {{ name or "'" ~ column ~ "'" }}
    and told.{{ column }} is not null
{%- endmacro %}

{% macro measured_figures(method) %}
{%- for column in cut_indicators() %}
{{ asked_for(ref('int_customers__indicated'), column, 'decimal(28, 6)', method) }}
union all
{%- endfor %}
{%- for column in private_figures() %}
{{ asked_for(ref('int_customers__private'), column, 'decimal(28, 6)', method, is_private=true) }}
union all
{%- endfor %}
{%- for column in cut_scores() %}
{{ asked_for(ref('customer_scores'), column, 'decimal(28, 6)', method, "'" ~ column ~ "_' || cast(told.horizon_days as varchar) || 'd'") }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endmacro %}

{#- The share of the customers who have a smaller figure, rounded down: at six digits it reaches a bound when the true share does. -#}
{% macro ranked_figures() %}
select
    as_of_date, customer_number, lens_number,
    cast({{ whole_quotient(
        '(rank() over (partition by as_of_date, lens_number order by figure) - 1) * 1000000',
        'count(*) over (partition by as_of_date, lens_number)'
    ) }} * 0.000001 as decimal(28, 6)) as figure,
    value
from ({{ measured_figures('rank') }}) as measured
{% endmacro %}

{#- What the labels of the policy make of a text. -#}
{% macro told_attributes() %}
select texts.as_of_date, texts.customer_number, texts.lens_number, bands.band_number, bands.score
from (
    {%- for column in label_attributes() %}
    {{ asked_for(ref('int_customers__indicated'), column, 'varchar', 'label') }}
    union all
    {%- endfor %}
    {%- for column in private_attributes() %}
    {{ asked_for(ref('int_customers__private'), column, 'varchar', 'label', is_private=true) }}
    union all
    {%- endfor %}
    {%- for column in lifecycle_attributes() %}
    {{ asked_for(ref('customer_lifecycle'), column, 'varchar', 'label') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as texts
inner join numbered on texts.lens_number = numbered.lens_number
inner join {{ ref('policy_labels') }} as labels
    on numbered.policy_version = labels.policy_version
    and numbered.lens = labels.lens
    and texts.figure = labels.label
inner join bands
    on texts.lens_number = bands.lens_number
    and labels.band = bands.band
{% endmacro %}

{#- What the marts of evidence say, which are lenses of their own. A band that the policy does not name is none, and is told. -#}
{% macro evidence() %}
select told.as_of_date, customers.customer_number, numbered.lens_number, told.value, told.score, names.band_number
from (
    {%- for lens, mart, value, score, band in [
        ('rfm', ref('customer_rfm'), 'rfm_score', 'rfm_score', 'rfm_segment'),
        ('rfm_class', ref('customer_rfm'), 'rfm_score', 'rfm_score', 'rfm_class'),
        ('abc', ref('customer_abc'), 'share_before_rate', 'abc_score', 'abc_class'),
        ('lifecycle', ref('customer_lifecycle'), 'growth_rate', 'lifecycle_score', 'stage'),
        ('lead', ref('lead_grades'), 'null', 'lead_score', 'customer_grade'),
    ] %}
    select
        as_of_date, customer_id, '{{ lens }}' as lens, policy_version, cast({{ value }} as decimal(28, 6)) as value,
        {{ score }} as score, {{ band }} as band
    from {{ mart }}
    where {{ band }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as told
inner join {{ ref('int_customers__numbered') }} as customers on told.customer_id = customers.customer_id
inner join numbered
    on told.policy_version = numbered.policy_version
    and told.lens = numbered.lens
left join {{ ref('int_bands__numbered') }} as names
    on numbered.lens_number = names.lens_number
    and told.band = names.band
{% endmacro %}
