{{ config(meta={'dagster': {'ref': {'name': 'customer_bands'}}}) }}
select bands.as_of_date, bands.customer_id, count(*) as lens_count
from {{ ref('customer_bands') }} as bands
group by bands.as_of_date, bands.customer_id, bands.policy_version
having count(*) <> (
    select count(*) from {{ ref('policy_lenses') }} as lenses where lenses.policy_version = bands.policy_version
)
