{{ config(materialized='view') }}

{#- Whether the model in use still meets the customers it was trained on, and whether what was predicted has come. -#}
select
    horizon_days,
    model_version,
    topic,
    measure,
    since_date,
    predicted_to_came,
    figure,
    warn_limit,
    level
from {{ ref('stg_ml__drifts') }}
