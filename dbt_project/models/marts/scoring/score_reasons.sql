{#- Why the scores of the release date are what they are: what each group of inputs adds on the model's own scale, so that the
    sum leads back to customer_scores; below the champion, only which rung speaks, for nothing in it is a sum. A view: its rows
    stand in the build already. -#}
{{ config(materialized='view') }}
with dates as (

    select as_of_date, model_version from {{ ref('stg_run__dates') }} where is_release_date

),

reasons as (

    select * from {{ ref('stg_ml__reasons') }}

)

select
    reasons.as_of_date,
    reasons.customer_id,
    reasons.horizon_days,
    reasons.score_name,
    reasons.factor,
    reasons.figure,
    reasons.contribution,
    reasons.cell,
    dates.model_version
from reasons
inner join dates on reasons.as_of_date = dates.as_of_date
