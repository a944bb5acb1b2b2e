{#- Windows of customers beside trade: customer_windows() says how. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('customer_id is null or valid_to < ' ~ end_of_dates() ~ ' or customer_id in (' ~ moved_customers(ref('int_relation_windows__summed')) ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('stg_run__accounts') }} {{ ref('int_accounts__rematched') }}

{{ customer_windows(ref('int_relation_windows__summed'), 'relation') }}
