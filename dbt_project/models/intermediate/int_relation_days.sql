{#- The ledger of what is not trade: ledger_days() says what it holds. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where effective_from > {{ built('known_at') }}{% endif %}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}

{{ ledger_days(ref('int_relation_events__unioned'), 'relation') }}
