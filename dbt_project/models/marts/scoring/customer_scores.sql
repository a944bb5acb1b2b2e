{#- What a model expects of every customer, and on which rung of the fall-back ladder it stood; what the base alone says is
    kept beside it. Who has never bought has no history to learn from, and no score. -#}
with population as (

    select as_of_date, customer_id from {{ ref('int_customers__population') }}

),

models as (

    select
        as_of_date,
        horizon_days,
        model_version,
        rung,
        reason,
        grade,
        grade_reason
    from {{ ref('stg_ml__models') }}

),

scores as (

    select * from {{ ref('stg_ml__scores') }}

)

select
    population.as_of_date,
    population.customer_id,
    models.horizon_days,
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
    case when scores.customer_id is null then 'none' else models.rung end as rung,
    case when scores.customer_id is null then 'no counted order yet' else models.reason end as reason,
    models.model_version,
    case when scores.customer_id is not null then models.grade end as model_grade,
    case when scores.customer_id is not null then models.grade_reason end as model_grade_reason
from population
inner join models on population.as_of_date = models.as_of_date
left join scores
    on population.as_of_date = scores.as_of_date
    and population.customer_id = scores.customer_id
    and models.horizon_days = scores.horizon_days
