{#- What scores know of a customer that has bought: the cut-off is the day after the as-of date, so that the date itself
    counts. Windows are added up from the trade within them alone, so that a day does not read all of history. -#}
with purchased as (

    select * from {{ ref('int_customers__purchased') }}

),

population as (

    select as_of_date, customer_id, {{ add_days('as_of_date', 1) }} as cutoff_date
    from {{ ref('int_customers__population') }}

),

recent as (

    select population.as_of_date, population.customer_id, {{ recent_features('trade', 'population.cutoff_date') }}
    from {{ ref('int_customer_days') }} as trade
    inner join population
        on trade.customer_id = population.customer_id
        and trade.valid_from <= population.as_of_date
        and trade.valid_to > population.as_of_date
        and {{ is_recent('trade', 'population.cutoff_date') }}
    group by population.as_of_date, population.customer_id

)

select
    population.as_of_date,
    population.customer_id,
    purchased.purchase_days,
    purchased.first_purchase_date,
    purchased.last_purchase_date,
    purchased.net_amount,
    purchased.mean_day_amount,
    purchased.newest_days_amount,
    purchased.margin_amount,
    purchased.costed_net_amount,
    coalesce(recent.purchase_days_28d, 0) as purchase_days_28d,
    coalesce(recent.net_amount_28d, 0) as net_amount_28d,
    coalesce(recent.purchase_days_91d, 0) as purchase_days_91d,
    coalesce(recent.net_amount_91d, 0) as net_amount_91d
from population
inner join purchased
    on population.customer_id = purchased.customer_id
    and purchased.valid_from <= population.as_of_date
    and purchased.valid_to > population.as_of_date
left join recent
    on population.as_of_date = recent.as_of_date
    and population.customer_id = recent.customer_id
