{#- Trailing windows over the ledger of what is not trade: ledger_windows() says how. -#}
{{ config(
    materialized='incremental', unique_key=['source_system', 'source_id'],
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates()) }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}
{{ ledger_windows(ref('int_relation_days'), 'relation') }}
