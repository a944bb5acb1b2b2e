{#- A rate holds from its day until the next one, but no longer than the policy allows; one row a day, so that
    amounts join it by equality. The reporting currency has no row: rate_to_reporting() knows it converts at one. -#}
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
        and fx.from_ccy <> run.reporting_currency
        and fx.known_from <= run.known_at
        and fx.known_to > run.known_at

),

ages as (

    select {{ number_series('(select max(max_age_days) from run)') }} as age_days

)

select
    rates.currency,
    {{ add_days('rates.rate_date', 'ages.age_days') }} as valid_date,
    rates.rate_date,
    rates.rate
from rates
inner join ages on ages.age_days <= rates.max_age_days
where rates.next_rate_date is null
    or {{ add_days('rates.rate_date', 'ages.age_days') }} < rates.next_rate_date
