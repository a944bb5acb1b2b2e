with source as (

    select * from {{ source('ml', 'scores') }}

)

select
    as_of_date,
    customer_id,
    horizon_days,
    inactive_probability,
    expected_purchase_count as expected_purchases,
    expected_net_amount,
    potential_margin_amount,
    next_purchase_p10_date,
    next_purchase_p50_date,
    next_purchase_p90_date,
    base_inactive_probability,
    base_expected_purchase_count as base_expected_purchases,
    base_expected_net_amount
from source
