{{ config(meta={
    'dagster': {'ref': {'name': 'customer_scores'}},
    'expected': 'of the same customer, a longer horizon has no higher probability of no purchase, and no fewer purchases and no less '
        ~ 'net value expected, than a shorter one',
    'mend': 'ml/score.py bounds each horizon by the next shorter one; a model or its parameters were changed by hand',
}) }}
with pairs as (

    select
        as_of_date, customer_id, horizon_days, inactive_probability, expected_purchases, expected_net_amount,
        lag(inactive_probability) over horizons as shorter_probability,
        lag(expected_purchases) over horizons as shorter_purchases,
        lag(expected_net_amount) over horizons as shorter_amount
    from {{ ref('customer_scores') }}
    window horizons as (partition by as_of_date, customer_id order by horizon_days)

)

select as_of_date, customer_id, horizon_days
from pairs
where inactive_probability > shorter_probability
    or expected_purchases < shorter_purchases
    or expected_net_amount < shorter_amount
