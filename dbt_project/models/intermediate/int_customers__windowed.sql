{#- Account windows joined to identity last and summed by customer. Events whose account is unknown to every customer
    table stay together in the row without a customer: the unattributed bucket. -#}
with dates as (

    select as_of_date from {{ ref('stg_run__dates') }}

),

windows as (

    select * from {{ ref('int_account_windows__summed') }}

),

identity as (

    select as_of_date, source_system, source_id, customer_id from {{ ref('int_customers__identity') }}

)

select
    dates.as_of_date,
    identity.customer_id,
{%- for window_name, measures in windowed_measures().items() %}
{%- for measure in measures %}
    cast(coalesce(sum(windows.{{ measure }}) filter (where windows.window_name = '{{ window_name }}'), 0) as {{ 'bigint' if measure.endswith('_count') else 'decimal(18, 4)' }})
        as {{ windowed_name(measure, window_name) }}{{ "," if not (loop.last and window_name == 'all') }}
{%- endfor %}
{%- endfor %}
from windows
inner join dates
    on windows.valid_from <= dates.as_of_date
    and windows.valid_to > dates.as_of_date
left join identity
    on dates.as_of_date = identity.as_of_date
    and windows.source_system = identity.source_system
    and windows.source_id = identity.source_id
group by dates.as_of_date, identity.customer_id
