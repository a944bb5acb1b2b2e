{{ config(materialized='view') }}

select check_name, subject, as_of_date, status, severity, owner, observed, expected, checked_at, run_id
from {{ ref('stg_run__checks') }}
