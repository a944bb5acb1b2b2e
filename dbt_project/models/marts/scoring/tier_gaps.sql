{#- What is missing to the next tier of the score on the release date, as orchestration/gaps finds it with the models of the day:
    the smallest single order, and the fewest orders of the usual size, all of that date, everything else being as it is. -#}
with population as (

    select as_of_date, customer_id from {{ ref('int_customers__population') }}

),

dates as (

    select as_of_date, policy_version, model_version from {{ ref('stg_run__dates') }} where is_release_date

),

gaps as (

    select * from {{ ref('stg_ml__gaps') }}

)

select
    population.as_of_date,
    population.customer_id,
    gaps.tier_score,
    gaps.score_tier,
    gaps.next_tier,
    gaps.usual_margin_rate,
    gaps.one_order_amount,
    gaps.one_order_cost_amount,
    gaps.one_order_tier,
    gaps.one_order_reason,
    gaps.usual_order_amount,
    gaps.usual_order_cost_amount,
    gaps.usual_order_count,
    gaps.usual_orders_tier,
    gaps.usual_orders_reason,
    gaps.unforeseen_lens,
    dates.policy_version,
    dates.model_version
from population
inner join dates on population.as_of_date = dates.as_of_date
left join gaps
    on population.as_of_date = gaps.as_of_date
    and population.customer_id = gaps.customer_id
