{#- Account windows joined to identity last and summed by customer, as intervals of as-of dates: +x where an account's interval
    begins to be the customer's, -x where it ends, summed along the run. Events whose account is unknown to every customer table
    stay together in the row without a customer, the unattributed bucket: what no customer holds, less what one comes to
    hold. A run that goes on from an earlier date sums anew what has moved since. -#}
{% macro customer_windows(windows, group) -%}
with first as (

    select min(as_of_date) as first_date from {{ ref('int_run_dates__ordered') }}

),

windows as (

    select
        windows.source_system, windows.source_id, windows.valid_to,
        greatest(windows.valid_from, first.first_date) as valid_from,
        {{ each_windowed("windows.{n}", group=group) }}
    from {{ windows }} as windows
    inner join first on windows.valid_to > first.first_date

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

unheld as (

    select windows.*
    from windows
    left join identity
        on windows.source_system = identity.source_system
        and windows.source_id = identity.source_id
        and identity.valid_from <= windows.valid_from
        and identity.valid_to >= windows.valid_to
    where identity.customer_id is null

),

spans as (

    {% for relation, customer, sign in [('windows', 'identity.customer_id', 1), ('unheld', 'null', -1)] %}
    select
        {{ customer }} as customer_id,
        greatest(windows.valid_from, identity.valid_from) as valid_from,
        least(windows.valid_to, identity.valid_to) as valid_to,
        {{ sign }} as account_count,
        {{ each_windowed(sign ~ " * windows.{n} as {n}", group=group) }}
    from {{ relation }} as windows
    inner join identity
        on windows.source_system = identity.source_system
        and windows.source_id = identity.source_id
        and identity.valid_from < windows.valid_to
        and identity.valid_to > windows.valid_from
    {%- if is_incremental() and loop.first %}
    where identity.customer_id in ({{ moved_customers(windows) }})
    {%- endif %}

    union all
    {% endfor %}
    select null as customer_id, valid_from, valid_to, 1 as account_count, {{ each_windowed("{n}", group=group) }}
    from unheld

),

changes as (

    select customer_id, valid_from, account_count, {{ each_windowed("{n}", group=group) }}
    from spans

    union all

    select
        customer_id, valid_to as valid_from, -account_count as account_count,
        {{ each_windowed("-{n} as {n}", group=group) }}
    from spans
    where valid_to < {{ end_of_dates() }}

),

daily_changes as (

    select
        customer_id, valid_from, sum(account_count) as account_count,
        {{ each_windowed("sum({n}) as {n}", group=group) }}
    from changes
    group by customer_id, valid_from

),

summed as (

    select
        customer_id,
        valid_from,
        coalesce(lead(valid_from) over customer, {{ end_of_dates() }}) as valid_to,
        sum(account_count) over customer as account_count,
        {{ each_windowed("cast(sum({n}) over customer as {t}) as {n}", group=group) }}
    from daily_changes
    window customer as (
        partition by customer_id
        order by valid_from
        rows between unbounded preceding and current row
    )

)

select customer_id, valid_from, valid_to, {{ each_windowed("{n}", group=group) }}
from summed
where account_count > 0
{%- endmacro %}
