{#- Whether a customer holds each tier by its score, day by day: it rises on the day that earns a tier, and falls only on a day
    of review on which it has for long enough neither kept the tier (score plus margin) nor earned it. A day goes on from
    what the day before decided; a range of days is one statement. Who was not there the day before begins anew:
    dates on end of one customer are a stretch, and one from the first date on, the stretch 0, goes on from the day before. -#}
with dates as (

    select
        ordered.as_of_date,
        ordered.date_number,
        policy.policy_version,
        policy.tier_keep_margin,
        policy.tier_dwell_days,
        policy.tier_hold_days,
        policy.tier_grace_days,
        policy.tier_review_months,
        {{ add_days('ordered.as_of_date', '-policy.tier_dwell_days') }} as dwell_date,
        {{ add_days('ordered.as_of_date', '-policy.tier_hold_days') }} as hold_date,
        {{ is_review_date('ordered.as_of_date', 'policy.tier_review_months') }} as is_review_date
    from {{ ref('int_run_dates__ordered') }} as ordered
    inner join {{ ref('int_policy__in_force') }} as policy on ordered.as_of_date = policy.as_of_date

),

scored as (

    select
        as_of_date, customer_id,
        cast(sum(contribution) as decimal(9, 4)) as tier_score,
        cast(sum(case when is_defaulted then 1 else 0 end) as bigint) as defaulted_lens_count
    from {{ ref('tier_explanations') }}
    group by as_of_date, customer_id

),

stretched as (

    select
        scored.*,
        dates.date_number - row_number() over (partition by scored.customer_id order by scored.as_of_date) as stretch
    from scored
    inner join dates on scored.as_of_date = dates.as_of_date

),

stretches as (

    select
        stretched.as_of_date, stretched.customer_id, stretched.stretch, stretched.tier_score, stretched.defaulted_lens_count,
        tiers.band_rank, tiers.band,
        tiers.lower_bound is null or stretched.tier_score >= tiers.lower_bound as is_earned,
        tiers.lower_bound is null or stretched.tier_score + dates.tier_keep_margin >= tiers.lower_bound as is_kept,
        dates.dwell_date, dates.hold_date, dates.policy_version,
        dates.tier_dwell_days, dates.tier_hold_days, dates.tier_review_months,
        coalesce(dates.tier_grace_days - related.tenure_days, 0) as grace_days_left,
        dates.is_review_date and coalesce(related.tenure_days >= dates.tier_grace_days, true) as may_fall
    from stretched
    inner join dates on stretched.as_of_date = dates.as_of_date
    inner join {{ ref('policy_bands') }} as tiers
        on dates.policy_version = tiers.policy_version
        and tiers.lens = 'tier'
    left join {{ ref('customer_lifecycle') }} as related
        on stretched.as_of_date = related.as_of_date
        and stretched.customer_id = related.customer_id

),

before as (

    select customer_id, tier_rank, last_earned_date, last_kept_date, is_held, 0 as stretch
    from {{ ref('stg_run__standings') }}

),

dated as (

    select
        stretches.*,
        max(case when stretches.is_earned then stretches.as_of_date end) over stretch_so_far as earned_in_run_date,
        coalesce(max(case when stretches.is_kept then stretches.as_of_date end) over stretch_so_far, earlier.last_kept_date)
            as last_kept_date,
        earlier.last_earned_date as earned_before_date,
        coalesce(earlier.is_held, false) as was_held
    from stretches
    left join before as earlier
        on stretches.customer_id = earlier.customer_id
        and stretches.band_rank = earlier.tier_rank
        and stretches.stretch = earlier.stretch
    window stretch_so_far as (
        partition by stretches.customer_id, stretches.band_rank, stretches.stretch
        order by stretches.as_of_date
        rows between unbounded preceding and current row
    )

),

fallen as (

    select
        dated.*,
        coalesce(earned_in_run_date, earned_before_date) as last_earned_date,
        max(case
            when may_fall
                and coalesce(last_kept_date <= dwell_date, true)
                and coalesce(coalesce(earned_in_run_date, earned_before_date) <= hold_date, true)
                then as_of_date
        end) over (
            partition by customer_id, band_rank, stretch
            order by as_of_date
            rows between unbounded preceding and current row
        ) as fallen_date
    from dated

),

standing as (

    select
        fallen.*,
        case
            when earned_in_run_date is not null then coalesce(earned_in_run_date >= fallen_date, true)
            else was_held and fallen_date is null
        end as is_held,
        greatest(
            {{ add_days('as_of_date', 'greatest(grace_days_left, 1)') }},
            {{ add_days('last_kept_date', 'tier_dwell_days') }},
            {{ add_days('last_earned_date', 'tier_hold_days') }}
        ) as may_fall_date
    from fallen

)

select
    as_of_date,
    customer_id,
    band as tier,
    band_rank as tier_rank,
    tier_score,
    defaulted_lens_count,
    is_earned,
    is_kept,
    last_earned_date,
    last_kept_date,
    is_held,
    case when is_held and not is_kept then {{ next_review_date('may_fall_date', 'tier_review_months') }} end as falls_on_date,
    policy_version
from standing
