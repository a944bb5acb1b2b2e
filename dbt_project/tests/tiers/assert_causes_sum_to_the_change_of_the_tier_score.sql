-- Of who has a score on both days: the change of the score is the sum of the points that causes have.
with changes as (

    select decided.as_of_date, decided.customer_id, decided.tier_score - earlier.tier_score as points
    from {{ ref('customer_tiers') }} as decided
    inner join {{ ref('int_run_dates__compared') }} as dates on decided.as_of_date = dates.as_of_date
    inner join {{ ref('customer_tiers') }} as earlier
        on dates.earlier_date = earlier.as_of_date
        and decided.customer_id = earlier.customer_id

    union all

    select decided.as_of_date, decided.customer_id, decided.tier_score - earlier.tier_score as points
    from {{ ref('customer_tiers') }} as decided
    inner join {{ ref('int_run_dates__compared') }} as dates
        on decided.as_of_date = dates.as_of_date
        and dates.is_first
    inner join {{ ref('stg_run__decided_customers') }} as earlier on decided.customer_id = earlier.customer_id

),

told as (

    select as_of_date, customer_id, sum(points) as points from {{ ref('tier_causes') }} group by as_of_date, customer_id

)

select
    coalesce(changes.as_of_date, told.as_of_date) as as_of_date,
    coalesce(changes.customer_id, told.customer_id) as customer_id,
    changes.points,
    told.points as told_points
from changes
full outer join told
    on changes.as_of_date = told.as_of_date
    and changes.customer_id = told.customer_id
where coalesce(changes.points, 0) <> coalesce(told.points, 0)
