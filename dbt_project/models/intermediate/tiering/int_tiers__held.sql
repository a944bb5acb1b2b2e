{#- Whether a customer holds each tier by its score, day by day: it rises on the day that earns a tier, and falls only on a day
    of review on which it has for long enough neither kept the tier (score plus margin) nor earned it. A day goes on from
    what the day before decided; a range of days is one statement. Who was not there the day before begins anew:
    dates on end of one customer are a stretch, and one from the first date on, the stretch 0, goes on from the day before.
    Keyed by numbers: tier_standings says the names. -#}
with dates as (

    select
        ordered.as_of_date, ordered.date_number, policy.policy_version, policy.tier_keep_margin, policy.tier_dwell_days,
        policy.tier_hold_days, policy.tier_grace_days, policy.tier_review_months,
        {{ add_days('ordered.as_of_date', '-policy.tier_dwell_days') }} as dwell_date,
        {{ add_days('ordered.as_of_date', '-policy.tier_hold_days') }} as hold_date,
        {{ is_review_date('ordered.as_of_date', 'policy.tier_review_months') }} as is_review_date
    from {{ ref('int_run_dates__ordered') }} as ordered
    inner join {{ ref('int_policy__in_force') }} as policy on ordered.as_of_date = policy.as_of_date

),

scored as (

    select
        as_of_date, customer_number,
        cast(sum(contribution) as decimal(9, 4)) as tier_score,
        cast(sum(case when is_defaulted then 1 else 0 end) as bigint) as defaulted_lens_count
    from {{ ref('int_factors__contributed') }}
    group by as_of_date, customer_number

),

stretched as (

    select
        scored.*,
        indicators.tenure_days,
        dates.date_number - row_number() over (partition by scored.customer_number order by scored.as_of_date) as stretch
    from scored
    inner join dates on scored.as_of_date = dates.as_of_date
    left join {{ ref('int_customers__indicated') }} as indicators
        on scored.as_of_date = indicators.as_of_date
        and scored.customer_number = indicators.customer_number

),

stretches as (

    select
        stretched.*, tiers.band_rank,
        tiers.lower_bound is null or stretched.tier_score >= tiers.lower_bound as is_earned,
        tiers.lower_bound is null or stretched.tier_score + dates.tier_keep_margin >= tiers.lower_bound as is_kept
    from stretched
    inner join dates on stretched.as_of_date = dates.as_of_date
    inner join {{ ref('policy_bands') }} as tiers
        on dates.policy_version = tiers.policy_version
        and tiers.lens = 'tier'

),

before as (

    select
        customers.customer_number, standings.tier_rank, standings.last_earned_date, standings.last_kept_date, standings.is_held,
        0 as stretch
    from {{ ref('stg_run__standings') }} as standings
    inner join {{ ref('int_customers__numbered') }} as customers on standings.customer_id = customers.customer_id

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
        on stretches.customer_number = earlier.customer_number
        and stretches.band_rank = earlier.tier_rank
        and stretches.stretch = earlier.stretch
    window stretch_so_far as (
        partition by stretches.customer_number, stretches.band_rank, stretches.stretch
        order by stretches.as_of_date
        rows between unbounded preceding and current row
    )

),

fallen as (

    select
        dated.*,
        coalesce(dated.earned_in_run_date, dated.earned_before_date) as last_earned_date,
        max(case
            when dates.is_review_date
                and coalesce(dated.tenure_days >= dates.tier_grace_days, true)
                and coalesce(dated.last_kept_date <= dates.dwell_date, true)
                and coalesce(coalesce(dated.earned_in_run_date, dated.earned_before_date) <= dates.hold_date, true)
                then dated.as_of_date
        end) over (
            partition by dated.customer_number, dated.band_rank, dated.stretch
            order by dated.as_of_date
            rows between unbounded preceding and current row
        ) as fallen_date
    from dated
    inner join dates on dated.as_of_date = dates.as_of_date

),

standing as (

    select
        *,
        case
            when earned_in_run_date is not null then coalesce(earned_in_run_date >= fallen_date, true)
            else was_held and fallen_date is null
        end as is_held
    from fallen

)

select
    standing.as_of_date,
    standing.customer_number,
    standing.band_rank as tier_rank,
    standing.tier_score,
    standing.defaulted_lens_count,
    standing.is_earned,
    standing.is_kept,
    standing.last_earned_date,
    standing.last_kept_date,
    standing.is_held,
    case when standing.is_held and not standing.is_kept then {{ next_review_date(
        "greatest("
        ~ add_days('standing.as_of_date', 'greatest(coalesce(dates.tier_grace_days - standing.tenure_days, 0), 1)') ~ ", "
        ~ add_days('standing.last_kept_date', 'dates.tier_dwell_days') ~ ", "
        ~ add_days('standing.last_earned_date', 'dates.tier_hold_days') ~ ")",
        'dates.tier_review_months'
    ) }} end as falls_on_date
from standing
inner join dates on standing.as_of_date = dates.as_of_date
