{#- How a band follows from a figure, a text or the bands of other lenses. Each macro is a select or CTEs of int_customers__judged, which
    has the CTEs bands and, of the lenses that read others, what they read: read, cells, sides (of the cells), parts, factors and
    counts. All are keyed by numbers. -#}

{#- The stages whose lenses read others, of a smaller stage each. -#}
{% macro reading_stages() %}{{ return([2, 3]) }}{% endmacro %}

{#- The methods by what they read: a figure or text of the customer, a mart of its own, the bands of other lenses. -#}
{% macro figure_methods() %}{{ return(['cut', 'rank']) }}{% endmacro %}
{% macro mart_methods() %}{{ return(['quantile', 'share', 'lifecycle', 'lead']) }}{% endmacro %}
{% macro reading_methods() %}{{ return(['matrix', 'worst', 'best', 'weighted', 'count']) }}{% endmacro %}
{#- Those that ask for a figure or text by its name. -#}
{% macro asking_methods() %}{{ return(figure_methods() + ['label']) }}{% endmacro %}
{#- The methods whose bands lie on a line: what is judged is held by the bounds of one of them. -#}
{% macro line_methods() %}{{ return(['cut', 'rank', 'share', 'weighted', 'count']) }}{% endmacro %}

{% macro quoted(names) -%}'{{ names | join("', '") }}'{%- endmacro %}

{#- The bounds of a band as figures, where an open side ends beyond every other: what is compared without an ``or`` is compared as
    it is joined, not afterwards. -#}
{% macro bounds_of_bands() -%}
cast(coalesce(bands.lower_bound, -1000000000000000000000) as decimal(28, 6)) as lowest,
cast(coalesce(bands.upper_bound, 1000000000000000000000) as decimal(28, 6)) as highest
{%- endmacro %}

{#- The bounds_of_bands() hold a figure. -#}
{% macro held(figure) -%}
{{ figure }} >= bands.lowest
and {{ figure }} < bands.highest
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
    select judged.as_of_date, judged.customer_number, judged.lens_number, judged.score, judged.band_number
    from judged_{{ earlier }} as judged
    where judged.lens_number in (select read.part from read where read.stage = {{ stage }})
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

chosen_{{ stage }} as (

    select
        below.as_of_date, below.customer_number, parts.lens_number,
        abs(max(parts.place)) as band_rank
    from below_{{ stage }} as below
    inner join parts on below.band_number = parts.band_number
    where parts.stage = {{ stage }}
    group by below.as_of_date, below.customer_number, parts.lens_number
    having sum(case when parts.is_required then 1 else 0 end) = max(parts.required_count)

),

counted_{{ stage }} as (

    select
        below.as_of_date, below.customer_number, factors.lens_number,
        {{ per_weight(
            'max(factors.standing_points) + sum((below.score - factors.stand_in_score) * factors.weight)',
            'max(factors.standing_weight) + sum(factors.joining_weight)'
        ) }} as value
    from below_{{ stage }} as below
    inner join factors on below.lens_number = factors.part
    where factors.stage = {{ stage }}
    group by below.as_of_date, below.customer_number, factors.lens_number

    union all

    select
        below.as_of_date, below.customer_number, counts.lens_number,
        count(*) over (partition by below.as_of_date, counts.lens_number, below.band_number) as value
    from below_{{ stage }} as below
    inner join counts on below.lens_number = counts.part
    where counts.stage = {{ stage }}

),

crossed_{{ stage }} as (

    select
        below.as_of_date, below.customer_number, sides.lens_number,
        max(case when sides.is_row then below.band_number end) as row_band,
        max(case when not sides.is_row then below.band_number end) as column_band
    from below_{{ stage }} as below
    inner join sides on below.lens_number = sides.part
    where sides.stage = {{ stage }}
    group by below.as_of_date, below.customer_number, sides.lens_number

),

judged_{{ stage }} as (

    select counted.as_of_date, counted.customer_number, counted.lens_number, counted.value, bands.score, bands.band_number
    from counted_{{ stage }} as counted
    inner join bands
        on counted.lens_number = bands.lens_number
        and {{ held('cast(counted.value as decimal(28, 6))') }}

    union all

    select chosen.as_of_date, chosen.customer_number, chosen.lens_number, null as value, bands.score, bands.band_number
    from chosen_{{ stage }} as chosen
    inner join bands
        on chosen.lens_number = bands.lens_number
        and chosen.band_rank = bands.band_rank

    union all

    select crossed.as_of_date, crossed.customer_number, crossed.lens_number, null as value, cells.score, cells.band_number
    from crossed_{{ stage }} as crossed
    inner join cells
        on crossed.lens_number = cells.lens_number
        and crossed.row_band = cells.row_band
        and crossed.column_band = cells.column_band

)
{%- endmacro %}

{% macro judged_at_all_stages() -%}
{% for stage in [1] + reading_stages() %}
select as_of_date, customer_number, lens_number, value, score, band_number from judged_{{ stage }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}
