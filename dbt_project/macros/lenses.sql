{#- How a band follows from a figure, a text or the bands of other lenses. Each macro is a select or CTEs of customer_bands,
    which has the CTEs lenses (those in force, by as-of date), readers (those that read other lenses), bands, and what the readers
    read: read, cells, sides (of the cells), parts and factors. -#}

{#- The stages whose lenses read others, of a smaller stage each. -#}
{% macro reading_stages() %}{{ return([2, 3]) }}{% endmacro %}

{#- The methods by what they read: a figure or text of the customer, a mart of its own, the bands of other lenses. -#}
{% macro figure_methods() %}{{ return(['cut', 'rank']) }}{% endmacro %}
{% macro mart_methods() %}{{ return(['quantile', 'share', 'lifecycle', 'lead']) }}{% endmacro %}
{% macro reading_methods() %}{{ return(['matrix', 'worst', 'best', 'weighted', 'count']) }}{% endmacro %}
{#- The methods whose bands lie on a line: what is judged is held by the bounds of one of them. -#}
{% macro line_methods() %}{{ return(['cut', 'rank', 'share', 'weighted', 'count']) }}{% endmacro %}

{% macro quoted(names) -%}'{{ names | join("', '") }}'{%- endmacro %}

{#- The bounds of a band hold a figure, or a part of a whole, compared by multiplication. -#}
{% macro held(part, whole=none) -%}
{%- set times = ' * ' ~ whole if whole else '' -%}
(bands.lower_bound is null or {{ part }} >= bands.lower_bound{{ times }})
and (bands.upper_bound is null or {{ part }} < bands.upper_bound{{ times }})
{%- endmacro %}

{#- Points divided by weights, exactly, rounded half away from zero at the fourth digit: points have at most eight digits after
    the point, weights four, so that both are whole in their own units and the quotient of those is in that of a score. -#}
{% macro per_weight(points, weight) -%}
{%- set parts = 'cast(cast(' ~ weight ~ ' as decimal(13, 4)) * 10000 as bigint)' -%}
cast(
    sign({{ points }})
    * {{ whole_quotient(in_score_units('abs(' ~ points ~ ')') ~ ' * 2 + ' ~ parts, 'nullif(' ~ parts ~ ' * 2, 0)') }}
    * 0.0001 as decimal(18, 4)
)
{%- endmacro %}

{#- The CTEs of a stage: bands that follow from those of smaller stages. The last is judged_<stage>. -#}
{% macro judged_at(stage) -%}
below_{{ stage }} as (

    {% for earlier in range(1, stage) %}
    select judged.as_of_date, judged.customer_id, judged.lens, judged.policy_version, judged.score, judged.band
    from judged_{{ earlier }} as judged
    where (judged.policy_version, judged.lens) in (select read.policy_version, read.part from read where read.stage = {{ stage }})
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

chosen_{{ stage }} as (

    select
        below.as_of_date, below.customer_id, parts.lens, parts.policy_version,
        case when parts.method = 'best' then min(parts.band_rank) else max(parts.band_rank) end as band_rank
    from below_{{ stage }} as below
    inner join parts
        on below.policy_version = parts.policy_version
        and below.lens = parts.part
        and below.band = parts.band
    where parts.stage = {{ stage }}
    group by
        below.as_of_date, below.customer_id, parts.lens, parts.policy_version, parts.method, parts.required_count
    having sum(case when parts.is_required then 1 else 0 end) = parts.required_count

),

counted_{{ stage }} as (

    select
        below.as_of_date, below.customer_id, factors.lens, factors.policy_version,
        {{ per_weight(
            'factors.standing_points + sum((below.score - factors.stand_in_score) * factors.weight)',
            'factors.standing_weight + sum(factors.joining_weight)'
        ) }} as value
    from below_{{ stage }} as below
    inner join factors
        on below.policy_version = factors.policy_version
        and below.lens = factors.factor
    where factors.stage = {{ stage }}
    group by
        below.as_of_date, below.customer_id, factors.lens, factors.policy_version,
        factors.standing_points, factors.standing_weight

    union all

    select
        below.as_of_date, below.customer_id, readers.lens, readers.policy_version,
        count(*) over (partition by below.as_of_date, readers.lens, below.band) as value
    from below_{{ stage }} as below
    inner join readers
        on below.policy_version = readers.policy_version
        and below.lens = readers.indicator
    where readers.method = 'count'
        and readers.stage = {{ stage }}

),

crossed_{{ stage }} as (

    select
        below.as_of_date, below.customer_id, sides.lens, sides.policy_version,
        max(case when sides.is_row then below.band end) as row_band,
        max(case when not sides.is_row then below.band end) as column_band
    from below_{{ stage }} as below
    inner join sides
        on below.policy_version = sides.policy_version
        and below.lens = sides.part
    where sides.stage = {{ stage }}
    group by below.as_of_date, below.customer_id, sides.lens, sides.policy_version

),

judged_{{ stage }} as (

    select counted.as_of_date, counted.customer_id, counted.lens, counted.policy_version, counted.value, bands.score, bands.band
    from counted_{{ stage }} as counted
    inner join bands
        on counted.policy_version = bands.policy_version
        and counted.lens = bands.lens
        and {{ held('counted.value') }}

    union all

    select chosen.as_of_date, chosen.customer_id, chosen.lens, chosen.policy_version, null as value, bands.score, bands.band
    from chosen_{{ stage }} as chosen
    inner join bands
        on chosen.policy_version = bands.policy_version
        and chosen.lens = bands.lens
        and chosen.band_rank = bands.band_rank

    union all

    select crossed.as_of_date, crossed.customer_id, cells.lens, cells.policy_version, null as value, cells.score, cells.band
    from crossed_{{ stage }} as crossed
    inner join cells
        on crossed.policy_version = cells.policy_version
        and crossed.lens = cells.lens
        and crossed.row_band = cells.row_band
        and crossed.column_band = cells.column_band

)
{%- endmacro %}

{% macro judged_at_all_stages() -%}
{% for stage in [1] + reading_stages() %}
select as_of_date, customer_id, lens, policy_version, value, score, band from judged_{{ stage }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}
