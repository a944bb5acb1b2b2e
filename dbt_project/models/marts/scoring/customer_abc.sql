{#- Class by the share of positive margin held by customers with a strictly larger margin: ties fall together, and
    who crosses a bound belongs to the better class. Compared by multiplication; the share itself is only shown. Who bought
    nothing whose cost is known is not judged. -#}
with buyers as (

    select as_of_date, customer_id, margin_amount_365d
    from {{ ref('customer_indicators') }}
    where order_count_365d > 0
        and (margin_amount_365d <> 0 or net_amount_365d <> costless_amount_365d)

),

policy as (

    select as_of_date, policy_version from {{ ref('int_policy__in_force') }}

),

bands as (

    select policy_version, band, lower_bound, upper_bound, score
    from {{ ref('policy_bands') }}
    where lens = 'abc'

),

by_value as (

    select
        as_of_date,
        margin_amount_365d,
        count(*) as customer_count,
        sum(greatest(margin_amount_365d, 0)) as positive_amount
    from buyers
    group by as_of_date, margin_amount_365d

),

cumulated as (

    select
        as_of_date,
        margin_amount_365d,
        sum(customer_count) over larger_first - customer_count + 1 as margin_rank,
        sum(positive_amount) over larger_first - positive_amount as amount_before,
        sum(positive_amount) over (partition by as_of_date) as positive_total
    from by_value
    window larger_first as (
        partition by as_of_date order by margin_amount_365d desc
        rows between unbounded preceding and current row
    )

)

select
    buyers.as_of_date,
    buyers.customer_id,
    buyers.margin_amount_365d,
    cast(cumulated.margin_rank as bigint) as margin_rank,
    {{ rate_of('cumulated.amount_before', 'cumulated.positive_total') }} as share_before_rate,
    bands.band as abc_class,
    bands.score as abc_score,
    policy.policy_version
from buyers
inner join cumulated
    on buyers.as_of_date = cumulated.as_of_date
    and buyers.margin_amount_365d = cumulated.margin_amount_365d
inner join policy on buyers.as_of_date = policy.as_of_date
inner join bands
    on policy.policy_version = bands.policy_version
    and (
        bands.lower_bound is null
        or cumulated.amount_before >= bands.lower_bound * cumulated.positive_total
    )
    and (
        bands.upper_bound is null
        or cumulated.amount_before < bands.upper_bound * cumulated.positive_total
    )
