{#- Features of the past, from which a model learns: what was true of a customer at an earlier cut-off, by what is known on
    the as-of date that trains. Only what happened before the cut-off is read. No rows when no date of this run trains. -#}
with cutoffs as (

    select as_of_date, cutoff_date from {{ ref('stg_run__cutoffs') }}

),

population as (

    select as_of_date, customer_id from {{ ref('int_customers__population') }}

)

select
    cutoffs.as_of_date,
    cutoffs.cutoff_date,
    trade.customer_id,
    {{ purchase_features('trade') }},
    {{ recent_features('trade', 'cutoffs.cutoff_date') }}
from {{ ref('int_customer_days') }} as trade
inner join cutoffs
    on trade.valid_from <= cutoffs.as_of_date
    and trade.valid_to > cutoffs.as_of_date
    and trade.event_date < cutoffs.cutoff_date
inner join population
    on cutoffs.as_of_date = population.as_of_date
    and trade.customer_id = population.customer_id
group by cutoffs.as_of_date, cutoffs.cutoff_date, trade.customer_id
having sum(case when trade.order_count > 0 then 1 else 0 end) > 0
