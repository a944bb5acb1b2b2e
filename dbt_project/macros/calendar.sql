{#- Days, months and periods of the calendar, and what is counted in them. A year has twelve months for everybody. -#}

{#- The day of an instant, in UTC. -#}
{% macro utc_date(instant) -%}{{ adapter.dispatch('utc_date')(instant) }}{%- endmacro %}
{% macro default__utc_date(instant) -%}cast({{ instant }} as date){%- endmacro %}
{% macro duckdb__utc_date(instant) -%}cast(timezone('UTC', {{ instant }}) as date){%- endmacro %}

{#- The as-of dates, what was known on each, and the day before a window of the policy in force begins. -#}
{% macro dates_of_window(window_name, indicators) -%}
select
    dates.as_of_date,
    dates.known_at,
    {{ add_days('dates.as_of_date', '-max(windows.window_days)') }} as before_date
from {{ dates_needing(indicators) }} as dates
inner join {{ ref('policy_windows') }} as windows on dates.policy_version = windows.policy_version
where windows.window_name = '{{ window_name }}'
group by dates.as_of_date, dates.known_at
{%- endmacro %}

{#- That a record is dated within the window of one of dates_of_window() and was known on its date. -#}
{% macro known_in_window(relation, date) -%}
{{ relation }}.{{ date }} > dates.before_date
and {{ relation }}.{{ date }} <= dates.as_of_date
and {{ relation }}.known_from <= dates.known_at
and {{ relation }}.known_to > dates.known_at
{%- endmacro %}

{#- The as-of dates on which one of these indicators is needed: the date that is released, and the days before it where a tier or
    a stage of life rests on one. On the others nobody will ever read them. -#}
{% macro dates_needing(indicators) -%}
(
    select as_of_date, known_at, policy_version
    from {{ ref('stg_run__dates') }}
    where is_release_date
        or policy_version in (
            select policy_version from {{ ref('int_indicators__deciding') }} where indicator in ({{ quoted(indicators) }})
        )
)
{%- endmacro %}

{#- The last day of a period as the contract writes them: 2025, 2025-Q1 or 2025-01; null for anything else. -#}
{% macro period_end(period) -%}
case
    when length({{ period }}) = 4 then try_cast({{ period }} || '-12-31' as date)
    when length({{ period }}) = 7 and substring({{ period }}, 6, 1) = 'Q'
        then last_day(try_cast(substring({{ period }}, 1, 5) || lpad(cast(3 * try_cast(substring({{ period }}, 7, 1) as integer) as varchar), 2, '0') || '-01' as date))
    when length({{ period }}) = 7 then last_day(try_cast({{ period }} || '-01' as date))
end
{%- endmacro %}

{#- Twelve months: from the first day of the earliest to the first day after the last whole month on a date, which is that
    date's own when the date is its last day. -#}
{% macro months_end(date) -%}{{ month_start(add_days(date, 1)) }}{%- endmacro %}
{% macro twelve_months_before(first_day) -%}{{ adapter.dispatch('twelve_months_before')(first_day) }}{%- endmacro %}
{% macro default__twelve_months_before(first_day) -%}add_months({{ first_day }}, -12){%- endmacro %}
{% macro duckdb__twelve_months_before(first_day) -%}cast({{ first_day }} - interval 12 month as date){%- endmacro %}

{#- The last whole calendar month on a date begins on the first day before that of months_end(). -#}
{% macro last_month_start(date) -%}{{ month_start(add_days(months_end(date), -1)) }}{%- endmacro %}

{#- The number of a month, counted through the years. -#}
{% macro month_number(date) -%}(extract(year from {{ date }}) * 12 + extract(month from {{ date }})){%- endmacro %}

{#- Whole years between two days: the day of the year must have come again. -#}
{% macro whole_years(earlier, later) -%}
cast(
    extract(year from {{ later }}) - extract(year from {{ earlier }})
    - case
        when extract(month from {{ later }}) * 100 + extract(day from {{ later }})
            < extract(month from {{ earlier }}) * 100 + extract(day from {{ earlier }}) then 1
        else 0
    end as bigint
)
{%- endmacro %}

{% macro months_of_a_year() -%}12{%- endmacro %}

{#- The slope a month of twelve monthly amounts by least squares, from their sum and their sum weighted with the place
    of the month, 0 to 11: (12 Σty - 66 Σy) / (12 · 506 - 66²), exactly, rounded half away from zero. -#}
{% macro monthly_slope(total, weighted_total) -%}
{{ money_quotient('12 * ' ~ weighted_total ~ ' - 66 * ' ~ total, '1716') }}
{%- endmacro %}

{#- The variation coefficient of a number of values from their sum and the sum of their squares, whole numbers both: the
    standard deviation of all of them over their mean, with six digits. Null where the sum is not above zero. -#}
{% macro variation_of(number, total, square_total) -%}
case
    when {{ total }} > 0
        then {{ root_of_quotient(number ~ ' * ' ~ square_total ~ ' - ' ~ total ~ ' * ' ~ total, total ~ ' * ' ~ total) }}
end
{%- endmacro %}

{#- 1 / (1 + a rate), with six digits, rounded down. -#}
{% macro steadiness_of(rate) -%}
cast({{ floor_quotient('1000000000000', '1000000 + cast(' ~ rate ~ ' * 1000000 as bigint)') }} * 0.000001 as decimal(28, 6))
{%- endmacro %}

{#- The place of a percentile among so many values in order, by nearest rank: the smallest with at least that share below
    or at it. -#}
{% macro p50_place(number) -%}{{ whole_quotient(number ~ ' + 1', '2') }}{%- endmacro %}
{% macro p90_place(number) -%}{{ whole_quotient(number ~ ' * 9 + 9', '10') }}{%- endmacro %}

{#- The answer of a survey as a share of its scale. -#}
{% macro share_of_scale() -%}{{ money_quotient('(score - scale_min)', '(scale_max - scale_min)') }}{%- endmacro %}

{#- A twelfth of a year's part, by day: an amount a day summed over a month and multiplied with a yearly rate, as what it
    earns in that month. -#}
{% macro earned_in_a_month(amount_days, rate, days) -%}
{{ money_quotient('(' ~ amount_days ~ ') * ' ~ rate, days ~ ' * 12') }}
{%- endmacro %}

{#- Whether tiers are reviewed on a date: every day for 0 months, else on the first of each month, second month, quarter … -#}
{% macro is_review_date(date, months) -%}
case
    when {{ months }} = 0 then true
    else extract(day from {{ date }}) = 1 and mod(extract(month from {{ date }}) - 1, cast({{ months }} as integer)) = 0
end
{%- endmacro %}

{#- The first such day on or after a date. From the first of a month, 31 days a month lead into the month that is meant. -#}
{% macro next_review_date(date, months) -%}
{%- set first = month_start(add_days(month_start(add_days(date, '-1')), '31')) -%}
case
    when {{ months }} = 0 then {{ date }}
    else {{ month_start(add_days(
        first, '31 * mod(' ~ months ~ ' - mod(extract(month from ' ~ first ~ ') - 1, ' ~ months ~ '), ' ~ months ~ ')'
    )) }}
end
{%- endmacro %}
