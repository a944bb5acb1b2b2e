{{ config(meta={
    'dagster': {'ref': {'name': 'customer_scores'}},
    'expected': 'of the same customer, a longer horizon has no higher probability of no purchase, and no fewer purchases and no less '
        ~ 'net value expected, than a shorter one',
    'mend': 'ml/score.py bounds each horizon by the next shorter one; a model or its parameters were changed by hand',
}) }}
select longer.as_of_date, longer.customer_id, longer.horizon_days
from {{ ref('customer_scores') }} as longer
inner join {{ ref('customer_scores') }} as shorter
    on longer.as_of_date = shorter.as_of_date
    and longer.customer_id = shorter.customer_id
    and longer.horizon_days > shorter.horizon_days
where longer.inactive_probability > shorter.inactive_probability
    or longer.expected_purchases < shorter.expected_purchases
    or longer.expected_net_amount < shorter.expected_net_amount
