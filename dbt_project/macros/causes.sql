{#- What has changed the sums over trailing windows since the decision before, by cause. -#}

{#- Facts in another currency whose rate of the day was restated since the decision before, by the account and day that the
    ledger has them under. The others of these days' corrections are counted with them. -#}
{% macro restated_facts() -%}
{%- for relation, rate_date, window_date in [
    (ref('int_orders__counted'), 'order_date', 'order_date'),
    (ref('int_returns__converted'), 'coalesce(order_date, return_date)', 'return_date'),
    (ref('int_receivables__converted'), 'issued_date', 'issued_date'),
] %}
select distinct
    rates.as_of_date, facts.source_system, facts.customer_ref as source_id, facts.{{ window_date }} as window_date
from {{ relation }} as facts
inner join restated_rates as rates
    on facts.currency = rates.currency
    and {{ rate_date.replace('order_date', 'facts.order_date').replace('return_date', 'facts.return_date')
        .replace('issued_date', 'facts.issued_date') }} = rates.valid_date
{{ 'union' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- By customer, date and cause, how far each windowed measure was moved. A row of the ledger that entered on a date tells of a
    day since the decision before (behaviour, or returns where more came back than was bought), or of an earlier one
    (correction, or fx where a rate of its day was restated). What leaves a window has rolled off, and so has what was known
    before and has only now come due. What joined or left with an account is identity. -#}
{% macro caused_windows(ledger, windows, group) -%}
{%- set bounded = bounded_windows(group) -%}
with dates as (

    select * from {{ ref('int_run_dates__compared') }}

),

run as (

    select
        {%- for window_name in bounded %}
        cast(max(case when windows.window_name = '{{ window_name }}' then windows.window_days end) as integer) as days_{{ window_name }},
        {%- endfor %}
        max(policy.as_of_date) as last_date
    from {{ ref('policy_windows') }} as windows
    inner join {{ ref('int_policy__in_force') }} as policy on windows.policy_version = policy.policy_version
    where policy.is_release_date

),

base as (

    select
        coalesce(earlier_date, as_of_date) as base_date,
        coalesce(earlier_known_at, known_at) as base_known_at
    from dates
    where is_first

),

resolved as (

    select kind, day, effective_from, as_of_date from {{ ref('int_run_days__resolved') }}

),

ledger as (

    select
        account_days.*,
        account_days.event_date <= base.base_date and account_days.effective_from <= base.base_known_at as is_in_base,
        {%- for window_name in bounded %}
        {{ add_days('account_days.window_date', 'run.days_' ~ window_name) }} as gone_{{ window_name }},
        {%- endfor %}
        base.base_date
    from {{ ledger }} as account_days
    cross join run
    cross join base
    where account_days.event_date > base.base_date
        or account_days.effective_from > base.base_known_at
        {%- for window_name in bounded %}
        or {{ add_days('account_days.window_date', 'run.days_' ~ window_name) }} between {{ add_days('base.base_date', 1) }} and run.last_date
        {%- endfor %}

),

spans as (

    select
        ledger.*,
        {%- for window_name in bounded %}
        case when ledger.gone_{{ window_name }} > ledger.base_date then leaving_{{ window_name }}.as_of_date else ledger.base_date end
            as leaves_{{ window_name }},
        {%- endfor %}
        case when ledger.is_in_base then ledger.base_date else greatest(entering.as_of_date, known.as_of_date) end as enters_on
    from ledger
    left join resolved as entering on entering.kind = 'day' and ledger.event_date = entering.day
    left join resolved as known on known.kind = 'knowledge' and ledger.effective_from = known.effective_from
    {%- for window_name in bounded %}
    left join resolved as leaving_{{ window_name }}
        on leaving_{{ window_name }}.kind = 'day'
        and ledger.gone_{{ window_name }} = leaving_{{ window_name }}.day
    {%- endfor %}
    where ledger.is_in_base
        or (entering.as_of_date is not null and known.as_of_date is not null)

),

restated_rates as (

    select distinct dates.as_of_date, fx.currency, fx.valid_date
    from {{ ref('int_fx_rates__daily') }} as fx
    inner join dates
        on fx.known_from > dates.earlier_known_at
        and fx.known_from <= dates.known_at
        and fx.valid_date <= dates.earlier_date

),

restated as ({{ restated_facts() }}),

entered as (

    select
        spans.enters_on as as_of_date, spans.source_system, spans.source_id,
        case
            when spans.event_date > dates.earlier_date and spans.effective_from <= dates.earlier_known_at then 'roll_off'
            when spans.event_date > dates.earlier_date
                then {{ "'behaviour'" if group != 'trade' else "case when spans.returned_amount <> 0 "
                    ~ "and abs(spans.net_amount + spans.returned_amount) < abs(spans.returned_amount) "
                    ~ "then 'returns' else 'behaviour' end" }}
            when restated.window_date is not null then 'fx'
            else 'correction'
        end as cause,
        {{ each_windowed("case when leaves_{w} is null or enters_on < leaves_{w} then {m} else 0 end as {n}", "{m} as {n}", group=group) }}
    from spans
    inner join dates on spans.enters_on = dates.as_of_date
    left join restated
        on spans.enters_on = restated.as_of_date
        and spans.source_system = restated.source_system
        and spans.source_id = restated.source_id
        and spans.window_date = restated.window_date
    where not spans.is_in_base
        and dates.earlier_date is not null

),

identity as (

    select source_system, source_id, customer_id, valid_from, valid_to from {{ ref('int_customers__identity') }}

),

{{ caused_identity(windows, group) }},

by_account as (

    select as_of_date, source_system, source_id, cause, {{ each_windowed('{n}', group=group) }} from entered

    {%- for window_name in bounded %}

    union all

    select
        leaves_{{ window_name }} as as_of_date, source_system, source_id, 'roll_off' as cause,
        {{ each_windowed("-{m} as {n}", "0 as {n}", window_name, group=group) }}
    from spans
    where enters_on < leaves_{{ window_name }}
    {%- endfor %}

),

by_customer as (

    select identity.customer_id, by_account.as_of_date, by_account.cause, {{ each_windowed('by_account.{n}', group=group) }}
    from by_account
    inner join identity
        on by_account.source_system = identity.source_system
        and by_account.source_id = identity.source_id
        and identity.valid_from <= by_account.as_of_date
        and identity.valid_to > by_account.as_of_date

    union all

    select customer_id, as_of_date, 'identity' as cause, {{ each_windowed('{n}', group=group) }} from joined

)

select
    as_of_date,
    customer_id,
    cause,
    {{ each_windowed("cast(sum({n}) as decimal(18, 4)) as {n}", group=group) }}
from by_customer
group by as_of_date, customer_id, cause
{%- endmacro %}

{#- The CTEs that tell what accounts brought to a customer, and took from one, by what was known of them before the date. -#}
{% macro caused_identity(windows, group) -%}
regrouped as (

    select as_of_date, source_system, source_id, customer_id, direction from {{ ref('int_accounts__regrouped') }}

),

told_of_accounts as (

    select
        changed.as_of_date, changed.source_system, changed.source_id,
        {{ each_windowed('windows.{n}', group=group) }}
    from (select distinct as_of_date, source_system, source_id from regrouped) as changed
    inner join {{ windows }} as windows
        on changed.source_system = windows.source_system
        and changed.source_id = windows.source_id
        and windows.valid_from <= changed.as_of_date
        and windows.valid_to > changed.as_of_date

    union all

    select as_of_date, source_system, source_id, {{ each_windowed('-{n} as {n}', group=group) }} from entered

),

joined as (

    select
        changed.customer_id, changed.as_of_date,
        {{ each_windowed("sum(told.{n} * changed.direction) as {n}", group=group) }}
    from regrouped as changed
    inner join told_of_accounts as told
        on changed.as_of_date = told.as_of_date
        and changed.source_system = told.source_system
        and changed.source_id = told.source_id
    group by changed.customer_id, changed.as_of_date

)
{%- endmacro %}

{#- What moved the sums that a factor is counted from, by measure and cause, and whether it moved them the way its points went. -#}
{% macro pushes_of_factors() -%}
{%- for group, relation in {'trade': ref('int_customers__caused'), 'relation': ref('int_customers__relation_caused')}.items() %}
select
    as_of_date, customer_id, factor, measure, cause, push,
    direction = 0 or sign(push) * direction = sign(points) as is_with
from (
    select
        ruled.as_of_date, ruled.customer_id, ruled.factor, ruled.points, fed.measure, fed.direction, caused.cause,
        {{ windowed_named('caused', 'fed.measure', group) }} as push
    from ruled
    inner join {{ ref('int_factors__fed') }} as fed
        on ruled.policy_version = fed.policy_version
        and ruled.factor = fed.factor
    inner join {{ relation }} as caused
        on ruled.as_of_date = caused.as_of_date
        and ruled.customer_id = caused.customer_id
    where ruled.cause is null
) as pushed_{{ group }}
where push <> 0
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Points by cause: each factor's, in the proportion of its leading factor's causes. The running sum is rounded and a cause gets
    what it grows by, so that the causes sum to the points exactly. -#}
{% macro shared_points(changes, causes) -%}
weighed as (

    select
        changes.as_of_date, changes.customer_id, changes.factor, changes.points, changes.policy_version, causes.cause,
        causes.weight,
        sum(causes.weight) over (partition by changes.as_of_date, changes.customer_id, changes.factor) as all_weight,
        sum(causes.weight) over (
            partition by changes.as_of_date, changes.customer_id, changes.factor
            order by causes.cause
            rows between unbounded preceding and current row
        ) as weight_so_far
    from {{ changes }} as changes
    inner join {{ causes }} as causes
        on changes.as_of_date = causes.as_of_date
        and changes.customer_id = causes.customer_id
        and changes.leading_factor = causes.factor

),

shared as (

    select
        as_of_date, customer_id, factor, cause, policy_version,
        {{ money(
            per_weight('points * weight_so_far', 'all_weight') ~ ' - '
            ~ per_weight('points * (weight_so_far - weight)', 'all_weight')
        ) }} as points
    from weighed

)

select as_of_date, customer_id, factor, cause, points, policy_version
from shared
where points <> 0
{%- endmacro %}
