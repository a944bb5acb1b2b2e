{#- What the tables of the build file already hold. The past is immutable: what was known up to built('known_at') never
    changes, or the run starts afresh. So facts go on with the records known or taken back since; tables as of a date go
    on from built('as_of_date') with what was known then, built('as_of_known_at'). Null means that nothing stands. -#}
{% macro built(column) -%}(select max({{ column }}) from {{ ref('stg_run__builds') }}){%- endmacro %}

{#- What of a relation with intervals of knowledge has become known or was taken back since an instant of the build;
    everything when it is null. -#}
{% macro changed_since(instant, relation) -%}
(
    {{ built(instant) }} is null
    or {{ relation }}.known_from > {{ built(instant) }}
    or ({{ relation }}.known_to > {{ built(instant) }} and {{ relation }}.known_to < {{ end_of_time() }})
)
{%- endmacro %}

{#- The rows of which changed_since() is true. No ``or``: of each half, the engine reads only where its comparisons can hold,
    which costs what is new and not the history. -#}
{% macro changed_rows(instant, relation) -%}
(
    select *
    from {{ relation }}
    where known_from > coalesce({{ built(instant) }}, {{ start_of_time() }})
    union all
    select *
    from {{ relation }}
    where known_to > {{ built(instant) }}
        and known_to < {{ end_of_time() }}
        and known_from <= {{ built(instant) }}
)
{%- endmacro %}

{#- Currencies and days whose rate is known otherwise since the facts were built. -#}
{% macro changed_rates() -%}
select fx.currency, fx.valid_date from {{ ref('int_fx_rates__daily') }} as fx where {{ changed_since('known_at', 'fx') }}
{%- endmacro %}

{#- A condition: the row is of a record that has changed since the facts were built, in any of its versions, or whose
    rate of ``rate_date`` has. -#}
{% macro of_changed_records(relation, key, rate_date=none) -%}
(source_system, {{ key }}) in (
    select records.source_system, records.{{ key }} from {{ changed_rows('known_at', relation) }} as records
    {%- if rate_date %}
    union all
    select records.source_system, records.{{ key }}
    from {{ relation }} as records
    where (records.currency, records.{{ rate_date }}) in ({{ changed_rates() }})
    {%- endif %}
)
{%- endmacro %}

{#- What of a ledger has happened or become known since a date and an instant; all without them. -#}
{% macro new_in_ledger(ledger, since_date, since_instant) -%}
(
    select *
    from {{ ledger }}
    where effective_from > coalesce({{ since_instant }}, {{ start_of_time() }})
    union all
    select *
    from {{ ledger }}
    where event_date > {{ since_date }}
        and effective_from <= {{ since_instant }}
)
{%- endmacro %}

{#- A pre-hook for a table that goes on from an earlier date: away with what ``gone`` says; with everything when there
    is no such date. -#}
{% macro delete_where(gone) -%}
{% if is_incremental() %}delete from {{ this }} where {{ built('as_of_date') }} is null or {{ gone }}{% endif %}
{%- endmacro %}

{#- What delete_where() takes from a table of what customers do, as intervals of as-of dates: those that are over, and all of
    the customers that it looks at again. -#}
{% macro gone_with_moved_customers() -%}
valid_to < {{ end_of_dates() }} or customer_id in (select moved.customer_id from {{ ref('int_customers__moved') }} as moved)
{%- endmacro %}

{#- Accounts whose first and last dates may differ from those of the date the run goes on from. -#}
{% macro accounts_with_new_dates() -%}
select days.source_system, days.source_id
from {{ new_in_ledger(ref('int_account_days'), built('as_of_date'), built('as_of_known_at')) }} as days
where days.order_count <> 0
    or days.contact_count <> 0
{%- endmacro %}

{#- The customers, before and now, of the accounts that are matched anew. -#}
{% macro rematched_customers() -%}
select accounts.customer_id
from (
    select source_system, source_id, family, customer_id from {{ ref('stg_run__accounts') }}
    union all
    select source_system, source_id, family, customer_id from {{ ref('int_customers__identity') }}
) as accounts
inner join {{ ref('int_accounts__rematched') }} as rematched
    on accounts.source_system = rematched.source_system
    and accounts.source_id = rematched.source_id
    and accounts.family = rematched.family
{%- endmacro %}

{#- The customers with an account of which ``intervals``, a table of intervals of as-of dates, says something new since
    the date the run goes on from, or that is matched anew; all without such a date. -#}
{% macro moved_customers(intervals) -%}
{{ rematched_customers() }}
union
select identity.customer_id
from {{ ref('int_customers__identity') }} as identity
where (identity.source_system, identity.source_id) in (
    select moved.source_system, moved.source_id
    from {{ intervals }} as moved
    where moved.valid_from > coalesce({{ built('as_of_date') }}, {{ start_of_dates() }})
)
{%- endmacro %}
