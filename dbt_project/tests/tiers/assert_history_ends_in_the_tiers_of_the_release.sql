{{ config(meta={'dagster': {'ref': {'name': 'customer_tier_history'}}}) }}
-- Every customer stands in history as it does in customer_tiers on the release date, once, and nobody else does.
with released as (

    select tiers.customer_id, tiers.tier
    from {{ ref('customer_tiers') }} as tiers
    inner join {{ ref('stg_run__dates') }} as dates on tiers.as_of_date = dates.as_of_date
    where dates.is_release_date

),

standing as (

    select customer_id, tier from {{ ref('customer_tier_history') }} where is_current

)

select coalesce(released.customer_id, standing.customer_id) as customer_id
from released
full join standing on released.customer_id = standing.customer_id
where released.tier is null
    or standing.tier is null
    or released.tier <> standing.tier
