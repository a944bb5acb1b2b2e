{#- History as decided, as intervals of as-of dates in which a customer has one band of a scheme: what decisions before
    this run say, and what this run decides on top of them. A band that stands is one interval however often it was
    decided, open ones end with end_of_dates(); where ``band`` is null nothing is decided. ``relation`` has as_of_date,
    customer_id and the column ``band``. -#}
{% macro as_decided(scheme, relation, band) -%}
with run_dates as (

    select as_of_date, date_number, next_date from {{ ref('int_run_dates__ordered') }}

),

first as (

    select as_of_date as first_date from run_dates where date_number = 1

),

decided as (

    select
        intervals.customer_id, intervals.band, intervals.valid_from, intervals.valid_to,
        intervals.valid_to is not null and intervals.valid_to < first.first_date as is_over,
        first.first_date
    from {{ ref('stg_run__decision_intervals') }} as intervals
    inner join first on intervals.valid_from < first.first_date
    where intervals.scheme = '{{ scheme }}'

),

standing as (

    select customer_id, band, valid_from, 0 as date_number, first_date as next_date
    from decided
    where not is_over

    union all

    select
        now_decided.customer_id, now_decided.{{ band }} as band, now_decided.as_of_date as valid_from,
        run_dates.date_number, run_dates.next_date
    from {{ relation }} as now_decided
    inner join run_dates on now_decided.as_of_date = run_dates.as_of_date
    where now_decided.{{ band }} is not null

),

islands as (

    select
        standing.*,
        date_number - row_number() over (partition by customer_id, band order by date_number) as island
    from standing

)

select customer_id, band, min(valid_from) as valid_from, max(next_date) as valid_to
from islands
group by customer_id, band, island

union all

select customer_id, band, valid_from, valid_to
from decided
where is_over
{%- endmacro %}

{#- What the decision before each date said: ``relation`` on the date before in the run, or ``ledger`` before the first. A select
    on the CTE dates, rows of int_run_dates__compared. -#}
{% macro told_before(relation, ledger, columns) %}
{%- for source, is_before in [(relation, 'told.as_of_date = dates.earlier_date'), (ledger, 'dates.is_first')] %}
select dates.as_of_date, told.{{ columns | join(', told.') }}
from {{ source }} as told
inner join dates on {{ is_before }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endmacro %}

{#- The CTEs that end in steps: the intervals of as-of dates of the run in which nothing of a customer changes. ``spans``, a CTE or a
    relation, has customer_id, valid_from and valid_to, as-of dates. -#}
{% macro steps_of(spans) -%}
first as (

    select min(as_of_date) as first_date from {{ ref('int_run_dates__ordered') }}

),

changes as (

    select spans.customer_id, greatest(spans.valid_from, first.first_date) as valid_from
    from {{ spans }} as spans
    inner join first on spans.valid_to > first.first_date

    union

    select spans.customer_id, spans.valid_to as valid_from
    from {{ spans }} as spans
    inner join first on spans.valid_to > first.first_date
    where spans.valid_to < {{ end_of_dates() }}

),

steps as (

    select
        customer_id, valid_from,
        coalesce(lead(valid_from) over (partition by customer_id order by valid_from), {{ end_of_dates() }}) as valid_to
    from changes

)
{%- endmacro %}
