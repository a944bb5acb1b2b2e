{#- Scores by quantile: 1 + floor(groups x customers strictly below / customers). Equal values always score alike,
    whatever the order of rows. What a cell of scores is worth is worked out once a cell. -#}
with buyers as (

    select as_of_date, customer_id, last_order_date, recency_days, order_count_365d, net_amount_365d
    from {{ ref('customer_indicators') }}
    where order_count_365d > 0

),

policy as (

    select as_of_date, policy_version, cast(quantile_count as bigint) as quantile_count, score_scale
    from {{ ref('int_policy__in_force') }}

),

weights as (

    select
        policy_version,
        max(case when factor = 'recency' then weight end) as recency_weight,
        max(case when factor = 'frequency' then weight end) as frequency_weight,
        max(case when factor = 'monetary' then weight end) as monetary_weight
    from {{ ref('policy_weights') }}
    where target = 'rfm'
    group by policy_version

),

segments as (

    select policy_version, segment, recency_from, recency_to, frequency_from, frequency_to
    from {{ ref('policy_rfm_segments') }}

),

counted as (

    select
        *,
        count(*) over (partition by as_of_date) as buyer_count,
        rank() over (partition by as_of_date order by last_order_date) - 1 as less_recent_count,
        rank() over (partition by as_of_date order by order_count_365d) - 1 as less_frequent_count,
        rank() over (partition by as_of_date order by net_amount_365d) - 1 as less_spending_count
    from buyers

),

scored as (

    select
        counted.*,
        policy.policy_version,
        policy.quantile_count,
        policy.score_scale,
        1 + {{ whole_quotient('policy.quantile_count * counted.less_recent_count', 'counted.buyer_count') }} as r_score,
        1 + {{ whole_quotient('policy.quantile_count * counted.less_frequent_count', 'counted.buyer_count') }} as f_score,
        1 + {{ whole_quotient('policy.quantile_count * counted.less_spending_count', 'counted.buyer_count') }} as m_score
    from counted
    inner join policy on counted.as_of_date = policy.as_of_date

),

cells as (

    select distinct policy_version, quantile_count, score_scale, r_score, f_score, m_score from scored

),

judged as (

    select
        cells.policy_version,
        cells.r_score,
        cells.f_score,
        cells.m_score,
        cast(cells.r_score as varchar) || cast(cells.f_score as varchar) || cast(cells.m_score as varchar) as rfm_cell,
        segments.segment as rfm_segment,
        cast({{ money_quotient(
            'cells.score_scale * ('
            ~ 'weights.recency_weight * (cells.r_score - 1) '
            ~ '+ weights.frequency_weight * (cells.f_score - 1) '
            ~ '+ weights.monetary_weight * (cells.m_score - 1))',
            '(cells.quantile_count - 1)'
        ) }} as decimal(9, 4)) as rfm_score
    from cells
    inner join weights on cells.policy_version = weights.policy_version
    left join segments
        on cells.policy_version = segments.policy_version
        and cells.r_score between segments.recency_from and segments.recency_to
        and cells.f_score between segments.frequency_from and segments.frequency_to

)

select
    scored.as_of_date,
    scored.customer_id,
    scored.recency_days,
    scored.order_count_365d as frequency_count,
    scored.net_amount_365d as monetary_amount,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    judged.rfm_cell,
    judged.rfm_segment,
    judged.rfm_score,
    scored.policy_version
from scored
inner join judged
    on scored.policy_version = judged.policy_version
    and scored.r_score = judged.r_score
    and scored.f_score = judged.f_score
    and scored.m_score = judged.m_score
