{#- What the tables of the build file already hold. The past is immutable: what was known up to built('known_at') never
    changes, or the run starts afresh. So a table continues with the records known or taken back since; all of them
    when nothing stands. -#}
{% macro built(column) -%}(select max({{ column }}) from {{ ref('stg_run__builds') }}){%- endmacro %}

{% macro changed_since_built(relation) -%}
(
    {{ built('known_at') }} is null
    or {{ relation }}.known_from > {{ built('known_at') }}
    or ({{ relation }}.known_to > {{ built('known_at') }} and {{ relation }}.known_to < {{ end_of_time() }})
)
{%- endmacro %}

{#- What of a table with intervals of knowledge was not known yet, or not taken back yet, on the date the run goes on
    from; everything without one. -#}
{% macro changed_since_base(relation) -%}
(
    {{ built('as_of_known_at') }} is null
    or {{ relation }}.known_from > {{ built('as_of_known_at') }}
    or ({{ relation }}.known_to > {{ built('as_of_known_at') }} and {{ relation }}.known_to < {{ end_of_time() }})
)
{%- endmacro %}

{#- A pre-hook for a table that goes on from an earlier date: away with what ``gone`` says; with everything when there
    is no such date. -#}
{% macro delete_where(gone) -%}
{% if is_incremental() %}delete from {{ this }} where {{ built('as_of_date') }} is null or {{ gone }}{% endif %}
{%- endmacro %}

{#- Currencies and days whose rate is known otherwise since. -#}
{% macro changed_rates() -%}
select fx.currency, fx.valid_date from {{ ref('int_fx_rates__daily') }} as fx where {{ changed_since_built('fx') }}
{%- endmacro %}

{#- Accounts whose first and last dates may differ from those of the date the run goes on from; all without one. -#}
{% macro accounts_with_new_dates() -%}
select days.source_system, days.source_id
from {{ ref('int_account_days') }} as days
where (days.order_count <> 0 or days.contact_count <> 0)
    and (
        {{ built('as_of_date') }} is null
        or days.event_date > {{ built('as_of_date') }}
        or days.effective_from > {{ built('as_of_known_at') }}
    )
{%- endmacro %}

{#- The customers, before and now, of the accounts that are matched anew. -#}
{% macro rematched_customers() -%}
select accounts.customer_id
from {{ ref('stg_run__accounts') }} as accounts
inner join {{ ref('int_accounts__rematched') }} as rematched
    on accounts.source_system = rematched.source_system
    and accounts.source_id = rematched.source_id
    and accounts.family = rematched.family
union
select identity.customer_id
from {{ ref('int_customers__identity') }} as identity
inner join {{ ref('int_accounts__rematched') }} as rematched
    on identity.source_system = rematched.source_system
    and identity.source_id = rematched.source_id
    and identity.family = rematched.family
{%- endmacro %}

{#- The customers with an account of which ``intervals``, a table of intervals of as-of dates, says something new since the
    date the run goes on from, or that is matched anew; all without such a date. -#}
{% macro moved_customers(intervals) -%}
{{ rematched_customers() }}
union
select identity.customer_id
from {{ ref('int_customers__identity') }} as identity
inner join {{ intervals }} as moved
    on identity.source_system = moved.source_system
    and identity.source_id = moved.source_id
where {{ built('as_of_date') }} is null
    or moved.valid_from > {{ built('as_of_date') }}
{%- endmacro %}
