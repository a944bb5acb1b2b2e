{{ config(meta={'dagster': {'ref': {'name': 'customer_tiers'}}}) }}
select
    coalesce(population.as_of_date, tiers.as_of_date) as as_of_date,
    coalesce(population.customer_id, tiers.customer_id) as customer_id
from {{ ref('customer_indicators') }} as population
full join {{ ref('customer_tiers') }} as tiers
    on population.as_of_date = tiers.as_of_date
    and population.customer_id = tiers.customer_id
where population.customer_id is null or tiers.customer_id is null
