{#- First and last order and contact of every customer, as intervals of as-of dates. A run that goes on from an earlier
    date looks again at the customers of the accounts whose dates are new. -#}
{%- set moved = moved_customers(ref('int_account_dates__ranged')) %}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or customer_id in (' ~ moved_customers(ref('int_account_dates__ranged')) ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('stg_run__accounts') }} {{ ref('int_accounts__rematched') }}

with identity as (

    select source_system, source_id, customer_id, valid_from, valid_to
    from {{ ref('int_customers__identity') }}
    {%- if is_incremental() %}
    where customer_id in ({{ moved }})
    {%- endif %}

),

spans as (

    select
        identity.customer_id, ranged.kind, ranged.first_date, ranged.last_date,
        greatest(ranged.valid_from, identity.valid_from) as valid_from,
        least(ranged.valid_to, identity.valid_to) as valid_to
    from {{ ref('int_account_dates__ranged') }} as ranged
    inner join identity
        on ranged.source_system = identity.source_system
        and ranged.source_id = identity.source_id
        and ranged.valid_from < identity.valid_to
        and ranged.valid_to > identity.valid_from

),

{{ steps_of('spans') }}

select
    steps.customer_id,
    steps.valid_from,
    steps.valid_to,
    min(spans.first_date) filter (where spans.kind = 'order') as first_order_date,
    max(spans.last_date) filter (where spans.kind = 'order') as last_order_date,
    max(spans.last_date) filter (where spans.kind = 'contact') as last_contact_date
from spans
inner join steps
    on spans.customer_id = steps.customer_id
    and spans.valid_from <= steps.valid_from
    and spans.valid_to > steps.valid_from
group by steps.customer_id, steps.valid_from, steps.valid_to
