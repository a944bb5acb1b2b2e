{#- Features of the past, from which a model learns: what was true of a customer at an earlier cut-off, by what is known on
    the as-of date that trains. Only what happened before the cut-off is read, but for
    next_purchase_date, from which a model learns what came. No rows when no date of this run trains.
    A limit takes the customers whose ids have the smallest hashes: the same ones at every cut-off. -#}
with cutoffs as (

    select as_of_date, cutoff_date, customer_limit from {{ ref('stg_run__cutoffs') }}

),

trade as (

    select
        dates.as_of_date, days.customer_id, days.event_date, days.order_count, days.net_amount, days.margin_amount,
        days.costed_net_amount, {{ purchase_after('days', 'dates.as_of_date, days.customer_id') }}
    from {{ ref('int_customer_days') }} as days
    inner join (select distinct cutoffs.as_of_date from cutoffs) as dates
        on days.valid_from <= dates.as_of_date
        and days.valid_to > dates.as_of_date

),

population as (

    select
        as_of_date,
        customer_id,
        row_number() over (partition by as_of_date order by {{ short_hash('customer_id') }}, customer_id) as place
    from {{ ref('int_customers__population') }}
    where as_of_date in (select cutoffs.as_of_date from cutoffs)

)

select
    cutoffs.as_of_date,
    cutoffs.cutoff_date,
    trade.customer_id,
    {{ purchase_features('trade') }},
    {{ recent_features('trade', 'cutoffs.cutoff_date') }},
    {{ next_purchase('trade', 'cutoffs.cutoff_date') }}
from trade
inner join cutoffs
    on trade.as_of_date = cutoffs.as_of_date
    and trade.event_date < cutoffs.cutoff_date
inner join population
    on cutoffs.as_of_date = population.as_of_date
    and trade.customer_id = population.customer_id
    and (cutoffs.customer_limit is null or population.place <= cutoffs.customer_limit)
group by cutoffs.as_of_date, cutoffs.cutoff_date, trade.customer_id
having sum(case when trade.order_count > 0 then 1 else 0 end) > 0
