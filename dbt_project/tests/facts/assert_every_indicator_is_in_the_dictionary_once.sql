{{ config(meta={'dagster': {'ref': {'name': 'indicator_dictionary'}}}) }}
-- depends_on: {{ ref('customer_indicators') }} {{ ref('int_customers__private') }}
-- Columns of the two tables against rows, both ways: what is computed is told, and what is told is computed.
{%- set tables = {'customer_indicators': 'false', 'int_customers__private': 'true'} %}
with computed as (
{% for table, is_private in tables.items() %}
{%- set columns = adapter.get_columns_in_relation(ref(table)) if execute else [] %}
{%- for column in columns if column.name not in ('as_of_date', 'customer_id') %}
    select '{{ column.name }}' as indicator, {{ is_private }} as is_private
    union all
{%- endfor %}
{%- endfor %}
    select cast(null as varchar) as indicator, cast(null as boolean) as is_private where false

)

select coalesce(computed.indicator, told.indicator) as indicator, count(*) as row_count
from computed
full join {{ ref('indicator_dictionary') }} as told
    on computed.indicator = told.indicator
    and computed.is_private = told.is_private
group by coalesce(computed.indicator, told.indicator)
having count(computed.indicator) <> 1
    or count(told.indicator) <> 1
