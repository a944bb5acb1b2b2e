{{ config(meta={'dagster': {'ref': {'name': 'tier_gaps'}}}) }}
-- The what-if is a second way to a tier score: without an order it comes to the score, and the tier, that the models found. And
-- every customer has either what is missing or why not.
select tiers.as_of_date, tiers.customer_id, tiers.tier_score, gaps.tier_score as gap_score
from {{ ref('customer_tiers') }} as tiers
inner join {{ ref('stg_run__dates') }} as dates on tiers.as_of_date = dates.as_of_date
left join {{ ref('tier_gaps') }} as gaps
    on tiers.as_of_date = gaps.as_of_date
    and tiers.customer_id = gaps.customer_id
where dates.is_release_date
    and (
        (gaps.unforeseen_lens is null and coalesce(gaps.tier_score <> tiers.tier_score, true))
        or (gaps.unforeseen_lens is null and coalesce(gaps.score_tier <> tiers.score_tier, true))
        or (gaps.one_order_amount is null) = (gaps.one_order_reason is null)
        or (gaps.usual_order_count is null) = (gaps.usual_orders_reason is null)
    )
