{#- A customer's balances by kind over the last whole calendar month before or at each as-of date, in the reporting currency at
    each day's rate: the sum of the daily balances over the days of the calendar, whether or not there is one for each. -#}
with dates as (

    select
        as_of_date,
        known_at,
        policy_version,
        {{ last_month_start('as_of_date') }} as start_date,
        {{ months_end('as_of_date') }} as end_date
    from {{ dates_needing(private_figures() + private_attributes()) }} as dates

),

converted as (

    select
        dates.as_of_date, balances.source_system, balances.customer_ref, balances.product_kind, balances.currency,
        {{ converted('balances.balance', rate_to_reporting('balances.currency', 'fx.rate')) }} as amount
    from {{ ref('stg_finance__balance_dailies') }} as balances
    inner join dates
        on balances.balance_date >= dates.start_date
        and balances.balance_date < dates.end_date
        and balances.known_from <= dates.known_at
        and balances.known_to > dates.known_at
    left join {{ ref('int_fx_rates__daily') }} as fx
        on balances.currency = fx.currency
        and balances.balance_date = fx.valid_date
        and fx.known_from <= dates.known_at
        and fx.known_to > dates.known_at

),

holdings as (

    select
        as_of_date, source_system, customer_ref, product_kind, currency,
        sum(amount) as day_amount,
        max(case when amount > 0 then 1 else 0 end) as is_held
    from converted
    where amount is not null
    group by as_of_date, source_system, customer_ref, product_kind, currency

),

summed as (

    select
        dates.as_of_date, dates.policy_version, identity.customer_id, holdings.product_kind,
        {{ days_between('dates.start_date', 'dates.end_date') }} as day_count,
        cast(sum(holdings.day_amount) as decimal(38, 4)) as day_amount,
        cast(sum(holdings.is_held) as bigint) as holding_count
    from holdings
    inner join dates on holdings.as_of_date = dates.as_of_date
    inner join {{ ref('int_customers__identity') }} as identity
        on holdings.source_system = identity.source_system
        and holdings.customer_ref = identity.source_id
        and identity.family = 'finance'
        and identity.valid_from <= dates.as_of_date
        and identity.valid_to > dates.as_of_date
    group by
        dates.as_of_date, dates.policy_version, identity.customer_id, holdings.product_kind, dates.start_date, dates.end_date

)

select
    summed.as_of_date,
    summed.customer_id,
    summed.product_kind,
    kinds.is_wealth,
    kinds.is_loan,
    summed.holding_count,
    {{ money_quotient('summed.day_amount', 'summed.day_count') }} as average_amount,
    {{ earned_in_a_month('summed.day_amount', 'kinds.earning_rate', 'summed.day_count') }} as profit_amount
from summed
inner join {{ ref('policy_balance_kinds') }} as kinds
    on summed.policy_version = kinds.policy_version
    and summed.product_kind = kinds.product_kind
