{#- The credit grade of whom lens credit judges on the release date, with the two figures it rests on and the limit that decided.
    A view: the bands stand in customer_bands. -#}
{{ config(materialized='view') }}
with bands as (

    select
        customer_bands.as_of_date, customer_bands.customer_id, customer_bands.policy_version,
        max(case when customer_bands.lens = 'collection' then customer_bands.value end) as collection_rate,
        max(case when customer_bands.lens = 'payment_period' then customer_bands.value end) as max_days_to_pay,
        max(case when customer_bands.lens = 'collection' then policy_bands.band end) as collection_band,
        max(case when customer_bands.lens = 'payment_period' then policy_bands.band end) as payment_period_band,
        max(case when customer_bands.lens = 'credit' then policy_bands.band end) as credit_grade,
        max(case when customer_bands.lens = 'collection' then policy_bands.band_rank end) as collection_rank,
        max(case when customer_bands.lens = 'payment_period' then policy_bands.band_rank end) as payment_period_rank,
        max(case when customer_bands.lens = 'credit' then policy_bands.label_en end) as verdict_en,
        max(case when customer_bands.lens = 'credit' then policy_bands.label_zh end) as verdict_zh
    from {{ ref('customer_bands') }} as customer_bands
    inner join {{ ref('policy_bands') }} as policy_bands
        on customer_bands.policy_version = policy_bands.policy_version
        and customer_bands.lens = policy_bands.lens
        and customer_bands.band = policy_bands.band
    where customer_bands.lens in ('collection', 'payment_period', 'credit')
        and not customer_bands.is_defaulted
        and customer_bands.as_of_date in (select dates.as_of_date from {{ ref('stg_run__dates') }} as dates where dates.is_release_date)
    group by customer_bands.as_of_date, customer_bands.customer_id, customer_bands.policy_version

)

select
    as_of_date,
    customer_id,
    credit_grade,
    verdict_en,
    verdict_zh,
    collection_rate,
    collection_band,
    cast(max_days_to_pay as bigint) as max_days_to_pay,
    payment_period_band,
    case
        when collection_rank = payment_period_rank then 'both'
        when payment_period_rank is null or collection_rank > payment_period_rank then 'collection'
        else 'payment_period'
    end as binding_limit,
    policy_version
from bands
where credit_grade is not null
