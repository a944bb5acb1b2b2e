{#- What a currency converted at on a day, as known over time. A rate holds from its day until the next one, but no
    longer than the policy of the release date allows; of those known, the newest day's wins. The reporting currency has
    no row: rate_to_reporting() knows it converts at one. -#}
with policy as (

    select reporting_currency, cast(fx_max_age_days as integer) as max_age_days
    from {{ ref('int_policy__in_force') }}
    where is_release_date

),

ages as (

    select {{ number_series('(select max(max_age_days) from policy)') }} as age_days

),

candidates as (

    select
        fx.from_ccy as currency,
        {{ add_days('fx.rate_date', 'ages.age_days') }} as valid_date,
        fx.rate_date,
        fx.rate,
        fx.source_system,
        fx.batch_id,
        fx.known_from,
        fx.known_to
    from {{ ref('stg_finance__fx_rates') }} as fx
    inner join policy on fx.to_ccy = policy.reporting_currency
    cross join ages
    where fx.rate_kind = 'spot'
        and fx.from_ccy <> policy.reporting_currency

),

moments as (

    select currency, valid_date, cast({{ start_of_dates() }} as timestamp with time zone) as known_from
    from candidates

    union

    select currency, valid_date, known_from
    from candidates

    union

    select currency, valid_date, known_to as known_from
    from candidates
    where known_to < {{ end_of_time() }}

),

ranked as (

    select
        moments.currency,
        moments.valid_date,
        moments.known_from,
        candidates.rate_date,
        candidates.rate,
        row_number() over (
            partition by moments.currency, moments.valid_date, moments.known_from
            order by candidates.rate_date desc, candidates.source_system desc, candidates.batch_id desc
        ) as choice
    from moments
    left join candidates
        on moments.currency = candidates.currency
        and moments.valid_date = candidates.valid_date
        and moments.known_from >= candidates.known_from
        and moments.known_from < candidates.known_to

),

chosen as (

    select
        currency, valid_date, rate_date, rate, known_from,
        lag(known_from) over valid_day as earlier_known_from,
        lag(rate_date) over valid_day as earlier_rate_date,
        lag(rate) over valid_day as earlier_rate
    from ranked
    where choice = 1
    window valid_day as (partition by currency, valid_date order by known_from, rate_date)

)

select
    currency,
    valid_date,
    rate_date,
    rate,
    rate_date < valid_date as is_carried,
    known_from,
    coalesce(
        lead(known_from) over (partition by currency, valid_date order by known_from, rate_date),
        {{ end_of_time() }}
    ) as known_to
from chosen
where earlier_known_from is null
    or rate_date is distinct from earlier_rate_date
    or rate is distinct from earlier_rate
