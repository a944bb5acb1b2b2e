{%- set lenses = ['rfm', 'abc', 'collection', 'credit', 'engagement', 'value_potential', 'churn'] %}
with release as (

    select as_of_date from {{ ref('stg_run__dates') }} where is_release_date

),

tiers as (

    select as_of_date, customer_id, score_tier, gates, tier, tier_rank, tier_score, lifecycle_stage, defaulted_lens_count, policy_version
    from {{ ref('customer_tiers') }}

),

labels as (

    select policy_version, band, label_en, label_zh from {{ ref('policy_bands') }} where lens = 'tier'

),

bands as (

    select
        judged.as_of_date,
        judged.customer_number,
        {%- for lens in lenses %}
        max(case when lenses.lens = '{{ lens }}' then names.band end) as {{ lens }}_band{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_customers__judged') }} as judged
    inner join {{ ref('int_lenses__numbered') }} as lenses on judged.lens_number = lenses.lens_number
    inner join {{ ref('int_bands__numbered') }} as names on judged.band_number = names.band_number
    where judged.as_of_date in (select as_of_date from release)
        and lenses.lens in ({{ quoted(lenses) }})
    group by judged.as_of_date, judged.customer_number

),

shown as (

    {{ horizons_shown() }}

),

scores as (

    select
        told.as_of_date, told.customer_id, told.horizon_days, told.inactive_probability, told.expected_net_amount,
        told.potential_margin_amount, told.next_purchase_p50_date
    from {{ ref('customer_scores') }} as told
    inner join shown
        on told.as_of_date = shown.as_of_date
        and told.horizon_days = shown.horizon_days

)

select
    tiers.as_of_date,
    tiers.customer_id,
    described.customer_name,
    described.kind,
    described.country,
    described.region,
    described.city,
    described.industry_code,
    described.employee_count,
    described.owner_id,
    coalesce(described.is_strategic, false) as is_strategic,
    tiers.score_tier,
    tiers.gates,
    tiers.tier,
    tiers.tier_rank,
    labels.label_en as tier_label_en,
    labels.label_zh as tier_label_zh,
    tiers.tier_score,
    {%- for lens in lenses %}
    bands.{{ lens }}_band,
    {%- endfor %}
    lifecycle.relation,
    tiers.lifecycle_stage,
    tiers.defaulted_lens_count,
    indicators.account_count,
    indicators.first_order_date,
    indicators.last_order_date,
    indicators.last_contact_date,
    indicators.recency_days,
    indicators.tenure_days,
    indicators.days_since_contact,
    indicators.order_count_365d,
    indicators.net_amount_90d,
    indicators.net_amount_365d,
    indicators.net_amount_all,
    indicators.margin_amount_365d,
    indicators.return_rate_365d,
    indicators.collection_rate_730d,
    indicators.late_payment_rate_365d,
    indicators.open_amount,
    indicators.overdue_amount,
    indicators.pipeline_amount,
    scores.horizon_days as score_horizon_days,
    scores.inactive_probability,
    scores.expected_net_amount,
    scores.potential_margin_amount,
    scores.next_purchase_p50_date,
    tiers.policy_version
from tiers
inner join release on tiers.as_of_date = release.as_of_date
inner join {{ ref('int_customers__indicated') }} as indicators
    on tiers.as_of_date = indicators.as_of_date
    and tiers.customer_id = indicators.customer_id
inner join {{ ref('customer_lifecycle') }} as lifecycle
    on tiers.as_of_date = lifecycle.as_of_date
    and tiers.customer_id = lifecycle.customer_id
inner join {{ ref('int_customers__described') }} as described
    on tiers.customer_id = described.customer_id
    and described.valid_from <= tiers.as_of_date
    and described.valid_to > tiers.as_of_date
left join bands
    on tiers.as_of_date = bands.as_of_date
    and indicators.customer_number = bands.customer_number
left join scores
    on tiers.as_of_date = scores.as_of_date
    and tiers.customer_id = scores.customer_id
left join labels
    on tiers.policy_version = labels.policy_version
    and tiers.tier = labels.band
