{#- What engines spell differently, each behind one dispatched macro. No model calls an engine's own function. -#}

{% macro add_days(date, days) -%}{{ adapter.dispatch('add_days')(date, days) }}{%- endmacro %}
{% macro default__add_days(date, days) -%}date_add({{ date }}, {{ days }}){%- endmacro %}
{% macro duckdb__add_days(date, days) -%}({{ date }} + cast({{ days }} as integer)){%- endmacro %}

{% macro days_between(earlier, later) -%}{{ adapter.dispatch('days_between')(earlier, later) }}{%- endmacro %}
{% macro default__days_between(earlier, later) -%}datediff({{ later }}, {{ earlier }}){%- endmacro %}
{% macro duckdb__days_between(earlier, later) -%}cast({{ later }} - {{ earlier }} as bigint){%- endmacro %}

{% macro whole_quotient(dividend, divisor) -%}{{ adapter.dispatch('whole_quotient')(dividend, divisor) }}{%- endmacro %}
{% macro default__whole_quotient(dividend, divisor) -%}({{ dividend }} div {{ divisor }}){%- endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) -%}(cast({{ dividend }} as bigint) // cast({{ divisor }} as bigint)){%- endmacro %}

{% macro month_start(date) -%}cast(date_trunc('month', {{ date }}) as date){%- endmacro %}

{#- Sixteen hex digits of SHA-256: an id that is short to read and never minted twice in practice. -#}
{% macro short_hash(text) -%}{{ adapter.dispatch('short_hash')(text) }}{%- endmacro %}
{% macro default__short_hash(text) -%}substring(sha2({{ text }}, 256), 1, 16){%- endmacro %}
{% macro duckdb__short_hash(text) -%}substring(sha256({{ text }}), 1, 16){%- endmacro %}

{#- The upper end of an interval that is still open, and what comes before every instant a record is known from. -#}
{% macro end_of_time() -%}cast('9999-12-31 00:00:00+00' as timestamp with time zone){%- endmacro %}
{% macro start_of_time() -%}cast('0001-01-01 00:00:00+00' as timestamp with time zone){%- endmacro %}
{% macro end_of_dates() -%}cast('9999-12-31' as date){%- endmacro %}
{% macro start_of_dates() -%}cast('0001-01-01' as date){%- endmacro %}

{% macro money(expression) -%}cast({{ expression }} as decimal(18, 4)){%- endmacro %}

{#- An amount in the reporting currency: converted per line, rounded half away from zero, once. Most amounts are in that currency
    already, and a product of 128 bits costs more than to see it. -#}
{% macro converted(amount, rate) -%}
case
    when {{ rate }} = 1 then {{ money(amount) }}
    else cast(round(cast({{ amount }} as decimal(20, 4)) * {{ rate }}, 4) as decimal(18, 4))
end
{%- endmacro %}

{#- A quotient of two amounts as a rate with six digits, rounded down and not to the nearest, in whole-number
    arithmetic: it is at least a bound of up to six digits exactly when the true quotient is. Null when there is
    nothing to divide by. -#}
{% macro rate_of(part, whole) -%}
cast({{ floor_quotient(in_units(part) ~ ' * 1000000', in_units(whole)) }} * 0.000001 as decimal(28, 6))
{%- endmacro %}

{#- An amount divided by a number, exactly, rounded half away from zero at the fourth digit. -#}
{% macro money_quotient(amount, divisor) -%}
cast(
    sign({{ amount }})
    * {{ floor_quotient(in_units('abs(' ~ amount ~ ')') ~ ' * 20000 + ' ~ in_units(divisor), in_units(divisor) ~ ' * 2') }}
    * 0.0001 as decimal(18, 4)
)
{%- endmacro %}

{% macro in_units(amount) -%}{{ adapter.dispatch('in_units')(amount) }}{%- endmacro %}
{% macro default__in_units(amount) -%}cast(cast({{ amount }} as decimal(18, 4)) * 10000 as decimal(38, 0)){%- endmacro %}
{#- Whole and fraction apart: DuckDB fails where a product of narrow decimals is wider than 18 digits, and divides by 128 bits
    where it is of wide ones. -#}
{% macro duckdb__in_units(amount) -%}
{%- set money = 'cast(' ~ amount ~ ' as decimal(18, 4))' -%}
cast(cast(trunc({{ money }}) as bigint) * 10000 + cast({{ money }} % 1 * 10000 as bigint) as hugeint)
{%- endmacro %}

{#- Points in units of their eighth digit after the point. -#}
{% macro in_score_units(points) -%}{{ adapter.dispatch('in_score_units')(points) }}{%- endmacro %}
{% macro default__in_score_units(points) -%}cast(cast({{ points }} as decimal(18, 8)) * 100000000 as bigint){%- endmacro %}
{% macro duckdb__in_score_units(points) -%}
{%- set whole = 'cast(' ~ points ~ ' as decimal(18, 8))' -%}
(cast(trunc({{ whole }}) as bigint) * 100000000 + cast(cast({{ whole }} % 1 as decimal(9, 8)) * 100000000 as bigint))
{%- endmacro %}

{#- The greatest whole number not above dividend / divisor; null when the divisor is zero. -#}
{% macro floor_quotient(dividend, divisor) -%}{{ adapter.dispatch('floor_quotient')(dividend, divisor) }}{%- endmacro %}
{% macro default__floor_quotient(dividend, divisor) -%}
cast(floor(({{ dividend }}) / nullif({{ divisor }}, 0)) as decimal(20, 0))
{%- endmacro %}
{#- In 64 bits where both fit: DuckDB divides whole numbers of 128 bits thirty times slower. -#}
{% macro duckdb__floor_quotient(dividend, divisor) -%}
cast(
    coalesce(
        {{ duckdb__floored('try_cast(' ~ dividend ~ ' as bigint)', 'try_cast(' ~ divisor ~ ' as bigint)') }},
        {{ duckdb__floored('(' ~ dividend ~ ')', '(' ~ divisor ~ ')') }}
    ) as decimal(20, 0)
)
{%- endmacro %}

{#- DuckDB's whole division and its remainder go towards zero: one less where the remainder has the other sign. -#}
{% macro duckdb__floored(dividend, divisor) -%}
({{ dividend }} // nullif({{ divisor }}, 0) - cast(sign({{ dividend }} % nullif({{ divisor }}, 0)) * sign({{ divisor }}) < 0 as integer))
{%- endmacro %}

{#- The whole numbers from 0 to a maximum, as a select expression that yields one row each. -#}
{% macro number_series(maximum) -%}{{ adapter.dispatch('number_series')(maximum) }}{%- endmacro %}
{% macro default__number_series(maximum) -%}explode(sequence(0, {{ maximum }})){%- endmacro %}
{% macro duckdb__number_series(maximum) -%}unnest(range(0, {{ maximum }} + 1)){%- endmacro %}

{#- An instant as text that sorts in time order, always in UTC. -#}
{% macro utc_text(instant) -%}{{ adapter.dispatch('utc_text')(instant) }}{%- endmacro %}
{% macro default__utc_text(instant) -%}date_format({{ instant }}, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"){%- endmacro %}
{% macro duckdb__utc_text(instant) -%}strftime(timezone('UTC', {{ instant }}), '%Y-%m-%dT%H:%M:%S.%f'){%- endmacro %}

{#- The square root of a quotient of whole numbers, with six digits. The root of a binary number is exactly rounded on every
    engine, and nine digits more are exact than are kept. Null when there is nothing to divide by. -#}
{% macro root_of_quotient(dividend, divisor) -%}
cast(round(sqrt(cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), 0)), 6) as decimal(28, 6))
{%- endmacro %}

{#- The first of several tags joined by a bar; null where there is none. -#}
{% macro first_tag(tags) -%}{{ adapter.dispatch('first_tag')(tags) }}{%- endmacro %}
{% macro default__first_tag(tags) -%}nullif(trim(substring_index({{ tags }}, '|', 1)), ''){%- endmacro %}
{% macro duckdb__first_tag(tags) -%}nullif(trim(split_part({{ tags }}, '|', 1)), ''){%- endmacro %}

{#- Texts of a group as one, in an order that is total. -#}
{% macro joined(text, order) -%}{{ adapter.dispatch('joined')(text, order) }}{%- endmacro %}
{% macro default__joined(text, order) -%}listagg({{ text }}, ', ') within group (order by {{ order }}){%- endmacro %}
{% macro duckdb__joined(text, order) -%}string_agg({{ text }}, ', ' order by {{ order }}){%- endmacro %}

{#- The sum over the newest rows of a group, so many of them; rows without a moment do not count, no two share one. -#}
{% macro newest_sum(amount, moment, rows) -%}{{ adapter.dispatch('newest_sum')(amount, moment, rows) }}{%- endmacro %}
{% macro default__newest_sum(amount, moment, rows) -%}
aggregate(slice(reverse(array_sort(collect_list(case when {{ moment }} is not null then struct({{ moment }} as moment, {{ amount }} as amount) end))), 1, {{ rows }}), cast(0 as decimal(18, 4)), (total, one) -> cast(total + one.amount as decimal(18, 4)))
{%- endmacro %}
{% macro duckdb__newest_sum(amount, moment, rows) -%}list_sum(max_by({{ amount }}, {{ moment }}, {{ rows }})){%- endmacro %}

{#- A number of the values of a row, the same for the same values; different ones rarely share it. -#}
{% macro hash_of(columns) -%}{{ adapter.dispatch('hash_of')(columns) }}{%- endmacro %}
{% macro default__hash_of(columns) -%}xxhash64({{ columns | join(', ') }}){%- endmacro %}
{% macro duckdb__hash_of(columns) -%}hash({{ columns | join(', ') }}){%- endmacro %}
