{{ config(materialized='view') }}

select subject, measure, expected, observed, residual, status
from {{ ref('stg_run__reconciliations') }}
