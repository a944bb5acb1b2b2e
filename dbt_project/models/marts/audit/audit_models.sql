{{ config(materialized='view') }}

{#- Every model that was trained by the release date, and whether it took the place of the one in use. -#}
select
    trained_date,
    horizon_days,
    model_version,
    champion_version,
    spoken_version,
    rung,
    grade,
    verdict,
    sentence_en,
    sentence_zh,
    cutoff_count,
    auc_gain,
    auc_gain_low,
    brier_gain,
    brier_gain_high,
    gini_gain,
    gini_gain_low,
    count_bias,
    champion_count_bias,
    value_bias,
    champion_value_bias,
    ece,
    champion_ece
from {{ ref('stg_ml__trials') }}
