{#- The customer tables of three systems in one shape, all versions. own_key is the account's key as others cite
    it; cited_key the key it cites itself. -#}
{{ config(materialized='incremental', unique_key=['source_system', 'source_id', 'family']) }}
-- depends_on: {{ ref('stg_run__builds') }}

select
    source_system, account_id as source_id, 'crm' as family, account_kind as kind, account_name as name, tax_id,
    country, 'crm:' || account_id as own_key, cast(null as varchar) as cited_key, known_from, known_to
from {{ ref('stg_crm__accounts') }}
{%- if is_incremental() %}
where {{ of_changed_records(ref('stg_crm__accounts'), 'account_id') }}
{%- endif %}

union all

select
    source_system, customer_ref as source_id, 'sales' as family, kind, customer_name as name, tax_id,
    country, 'sales:' || customer_ref as own_key, 'crm:' || crm_account_ref as cited_key, known_from, known_to
from {{ ref('stg_sales__customers') }}
{%- if is_incremental() %}
where {{ of_changed_records(ref('stg_sales__customers'), 'customer_ref') }}
{%- endif %}

union all

select
    source_system, customer_ref as source_id, 'finance' as family, kind, customer_name as name, tax_id,
    country, 'finance:' || customer_ref as own_key, 'sales:' || sales_customer_ref as cited_key, known_from, known_to
from {{ ref('stg_finance__customers') }}
{%- if is_incremental() %}
where {{ of_changed_records(ref('stg_finance__customers'), 'customer_ref') }}
{%- endif %}
