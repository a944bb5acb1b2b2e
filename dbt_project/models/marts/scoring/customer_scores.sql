{#- What a model expects of every customer, and on which rung of the fall-back ladder it stood; what the base alone says is
    kept beside it. Who has never bought has no history to learn from, and no score. A view: the scores stand where the model
    has written them. -#}
{{ config(materialized='view') }}
select
    scores.as_of_date,
    scores.customer_id,
    scores.horizon_days,
    scores.inactive_probability,
    scores.expected_purchases,
    scores.expected_net_amount,
    scores.potential_margin_amount,
    scores.next_purchase_p10_date,
    scores.next_purchase_p50_date,
    scores.next_purchase_p90_date,
    scores.base_inactive_probability,
    scores.base_expected_purchases,
    scores.base_expected_net_amount,
    case when scores.inactive_probability is null then 'none' else models.rung end as rung,
    case when scores.inactive_probability is null then 'no counted order yet' else models.reason end as reason,
    models.model_version,
    case when scores.inactive_probability is not null then models.grade end as model_grade,
    case when scores.inactive_probability is not null then models.grade_reason end as model_grade_reason
from {{ ref('stg_ml__scores') }} as scores
inner join {{ ref('stg_ml__models') }} as models
    on scores.as_of_date = models.as_of_date
    and scores.horizon_days = models.horizon_days
