{#- The as-of dates of the run in their order, each with the one after it. -#}
select
    as_of_date,
    row_number() over (order by as_of_date) as date_number,
    coalesce(lead(as_of_date) over (order by as_of_date), {{ end_of_dates() }}) as next_date
from {{ ref('stg_run__dates') }}
