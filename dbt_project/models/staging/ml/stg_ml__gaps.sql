with source as (

    select * from {{ source('ml', 'gaps') }}

)

select
    as_of_date,
    customer_id,
    tier_score,
    score_tier,
    next_tier,
    usual_margin_rate,
    one_order_amount,
    one_order_cost_amount,
    one_order_tier,
    one_order_reason,
    usual_order_amount,
    usual_order_cost_amount,
    usual_order_count,
    usual_orders_tier,
    usual_orders_reason,
    unforeseen_lens
from source
