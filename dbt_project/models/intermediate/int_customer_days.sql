{#- Each customer's days of trade, as intervals of as-of dates: what its accounts ordered, sold, returned and earned on
    the day, as far as it was known. The one source that scores learn from, as of any past day. A run that goes on from
    an earlier date looks again at the customers whose trade has changed since. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where('valid_to < ' ~ end_of_dates() ~ ' or customer_id in (select customer_id from ' ~ ref('int_customers__touched') ~ ')') }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }}
{%- set amounts = ['order_count', 'net_amount', 'margin_amount', 'costed_net_amount'] %}

with accounts as (

    select identity.source_system, identity.source_id, identity.customer_id, identity.valid_from, identity.valid_to
    from {{ ref('int_customers__identity') }} as identity
    inner join {{ ref('int_customers__touched') }} as touched on identity.customer_id = touched.customer_id

),

days as (

    select day, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'day'

),

known as (

    select effective_from, as_of_date from {{ ref('int_run_days__resolved') }} where kind = 'knowledge'

),

seen as (

    select
        accounts.customer_id,
        ledger.event_date,
        greatest(days.as_of_date, known.as_of_date, accounts.valid_from) as valid_from,
        accounts.valid_to,
        ledger.order_count,
        ledger.net_amount,
        ledger.margin_amount,
        ledger.net_amount - ledger.costless_amount as costed_net_amount
    from {{ ref('int_account_days') }} as ledger
    inner join accounts on ledger.source_system = accounts.source_system and ledger.source_id = accounts.source_id
    inner join days on ledger.event_date = days.day
    inner join known on ledger.effective_from = known.effective_from
    where ledger.order_count <> 0
        or ledger.net_amount <> 0
        or ledger.margin_amount <> 0
        or ledger.costless_amount <> 0

),

changes as (

    select customer_id, event_date, valid_from, {{ amounts | join(', ') }}
    from seen
    where valid_from < valid_to

    union all

    select
        customer_id, event_date, valid_to as valid_from,
        {% for amount in amounts %}-{{ amount }} as {{ amount }}{{ ', ' if not loop.last }}{% endfor %}
    from seen
    where valid_from < valid_to
        and valid_to < {{ end_of_dates() }}

),

daily_changes as (

    select
        customer_id, event_date, valid_from,
        {% for amount in amounts %}sum({{ amount }}) as {{ amount }}{{ ', ' if not loop.last }}{% endfor %}
    from changes
    group by customer_id, event_date, valid_from

),

standing as (

    select
        customer_id, event_date, valid_from,
        coalesce(lead(valid_from) over trade_day, {{ end_of_dates() }}) as valid_to,
        {%- for amount in amounts %}
        cast(sum({{ amount }}) over trade_day as decimal(18, 4)) as {{ amount }}{{ ',' if not loop.last }}
        {%- endfor %}
    from daily_changes
    window trade_day as (
        partition by customer_id, event_date order by valid_from
        rows between unbounded preceding and current row
    )

)

select customer_id, event_date, valid_from, valid_to, {{ amounts | join(', ') }}
from standing
where order_count <> 0
    or net_amount <> 0
    or margin_amount <> 0
    or costed_net_amount <> 0
