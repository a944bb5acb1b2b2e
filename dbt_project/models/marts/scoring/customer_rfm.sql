{#- Scores by quantile: 1 + floor(groups x customers strictly worse / customers). Equal values always score alike,
    whatever the order of rows. Which three figures are scored, and which end of each is the better, is policy rows; the
    customers are those who bought in a year and have all three. What a cell of scores is worth is worked out once a cell. -#}
with metrics as (

    select
        policy.as_of_date, metrics.factor, metrics.indicator,
        case when metrics.is_less_better then -1 else 1 end as sign
    from {{ ref('policy_rfm_metrics') }} as metrics
    inner join {{ ref('int_policy__in_force') }} as policy on metrics.policy_version = policy.policy_version

),

figures as ({{ figures_of_metrics() }}),

measured as (

    select
        as_of_date, customer_id,
        {%- for factor in ['recency', 'frequency', 'monetary'] %}
        max(case when factor = '{{ factor }}' then sign end) as {{ factor }}_sign,
        max(case when factor = '{{ factor }}' then figure end) as {{ factor }}_value{{ "," if not loop.last }}
        {%- endfor %}
    from figures
    group by as_of_date, customer_id

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

    select
        policy_version, lens, segment, recency_from, recency_to, frequency_from, frequency_to, monetary_from, monetary_to
    from {{ ref('policy_rfm_segments') }}

),

counted as (

    select
        *,
        count(*) over (partition by as_of_date) as buyer_count,
        {%- for factor in ['recency', 'frequency', 'monetary'] %}
        rank() over (partition by as_of_date order by {{ factor }}_value * {{ factor }}_sign) - 1
            as worse_{{ factor }}_count{{ "," if not loop.last }}
        {%- endfor %}
    from measured
    where recency_value is not null
        and frequency_value is not null
        and monetary_value is not null

),

scored as (

    select
        counted.*,
        policy.policy_version,
        policy.quantile_count,
        policy.score_scale,
        1 + {{ whole_quotient('policy.quantile_count * counted.worse_recency_count', 'counted.buyer_count') }} as r_score,
        1 + {{ whole_quotient('policy.quantile_count * counted.worse_frequency_count', 'counted.buyer_count') }} as f_score,
        1 + {{ whole_quotient('policy.quantile_count * counted.worse_monetary_count', 'counted.buyer_count') }} as m_score
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
        classes.segment as rfm_class,
        cast({{ money_quotient(
            'cells.score_scale * ('
            ~ 'weights.recency_weight * (cells.r_score - 1) '
            ~ '+ weights.frequency_weight * (cells.f_score - 1) '
            ~ '+ weights.monetary_weight * (cells.m_score - 1))',
            '(cells.quantile_count - 1)'
        ) }} as decimal(9, 4)) as rfm_score
    from cells
    inner join weights on cells.policy_version = weights.policy_version
    {%- for lens, relation in {'rfm': 'segments', 'rfm_class': 'classes'}.items() %}
    left join segments{{ ' as ' ~ relation if relation != 'segments' }}
        on {{ relation }}.lens = '{{ lens }}'
        and cells.policy_version = {{ relation }}.policy_version
        and cells.r_score between {{ relation }}.recency_from and {{ relation }}.recency_to
        and cells.f_score between {{ relation }}.frequency_from and {{ relation }}.frequency_to
        and cells.m_score between {{ relation }}.monetary_from and {{ relation }}.monetary_to
    {%- endfor %}

)

select
    scored.as_of_date,
    scored.customer_id,
    scored.recency_value,
    scored.frequency_value,
    scored.monetary_value,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    judged.rfm_cell,
    judged.rfm_segment,
    judged.rfm_class,
    judged.rfm_score,
    scored.policy_version
from scored
inner join judged
    on scored.policy_version = judged.policy_version
    and scored.r_score = judged.r_score
    and scored.f_score = judged.f_score
    and scored.m_score = judged.m_score
