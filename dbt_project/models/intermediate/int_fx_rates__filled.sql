{#- A rate holds from its day until the next one, but no longer than the policy allows. The reporting currency
    converts to itself at one for ever, so that no model needs a special case for it. -#}
with run as (

    select
        dates.known_at,
        policy.reporting_currency,
        cast(policy.fx_max_age_days as integer) as max_age_days
    from {{ ref('stg_run__dates') }} as dates
    inner join {{ ref('int_policy__in_force') }} as policy on dates.as_of_date = policy.as_of_date
    where dates.is_release_date

),

rates as (

    select
        fx.from_ccy as currency,
        fx.rate_date,
        fx.rate,
        run.max_age_days,
        lead(fx.rate_date) over (
            partition by fx.from_ccy order by fx.rate_date, fx.source_system, fx.batch_id
        ) as next_rate_date
    from {{ ref('stg_finance__fx_rates') }} as fx
    inner join run on fx.to_ccy = run.reporting_currency
    where fx.rate_kind = 'spot'
        and fx.known_from <= run.known_at
        and fx.known_to > run.known_at

)

select
    currency,
    rate_date,
    rate_date as valid_from,
    least(
        coalesce(next_rate_date, {{ end_of_dates() }}),
        {{ add_days('rate_date', 'max_age_days + 1') }}
    ) as valid_to,
    rate
from rates

union all

select
    reporting_currency as currency,
    {{ start_of_dates() }} as rate_date,
    {{ start_of_dates() }} as valid_from,
    {{ end_of_dates() }} as valid_to,
    cast(1 as decimal(18, 8)) as rate
from run
