{#- The tests of a key account (contribution, potential, strategic weight): what each says, which are passed with the best band,
    and what follows, on the release date. A view: the bands stand in customer_bands. -#}
{{ config(materialized='view') }}
with release as (

    select as_of_date from {{ ref('stg_run__dates') }} where is_release_date

),

tests as (

    select policy_version, factor, weight, label_en, label_zh from {{ ref('policy_weights') }} where target = 'key_account'

),

judged as (

    select
        bands.as_of_date, bands.customer_id, tests.factor, tests.weight, tests.label_en, tests.label_zh, bands.band,
        policy_bands.band_rank
    from {{ ref('customer_bands') }} as bands
    inner join release on bands.as_of_date = release.as_of_date
    inner join tests
        on bands.policy_version = tests.policy_version
        and bands.lens = tests.factor
    left join {{ ref('policy_bands') }} as policy_bands
        on bands.policy_version = policy_bands.policy_version
        and bands.lens = policy_bands.lens
        and bands.band = policy_bands.band

),

told as (

    select
        as_of_date, customer_id,
        cast(sum(case when band_rank = 1 then 1 else 0 end) as bigint) as passed_test_count,
        {{ joined("factor || ' ' || band", 'weight desc, factor') }} as tests,
        {{ joined("case when band_rank = 1 then label_en end", 'weight desc, factor') }} as reason_en,
        {{ joined("case when band_rank = 1 then label_zh end", 'weight desc, factor') }} as reason_zh
    from judged
    group by as_of_date, customer_id

)

select
    accounts.as_of_date,
    accounts.customer_id,
    accounts.band as key_account_band,
    coalesce(policy_bands.band_rank = 1, false) as is_key_account,
    accounts.value as key_account_score,
    told.passed_test_count,
    told.tests,
    told.reason_en,
    told.reason_zh,
    accounts.policy_version
from {{ ref('customer_bands') }} as accounts
inner join told
    on accounts.as_of_date = told.as_of_date
    and accounts.customer_id = told.customer_id
left join {{ ref('policy_bands') }} as policy_bands
    on accounts.policy_version = policy_bands.policy_version
    and accounts.lens = policy_bands.lens
    and accounts.band = policy_bands.band
where accounts.lens = 'key_account'
    and not accounts.is_defaulted
