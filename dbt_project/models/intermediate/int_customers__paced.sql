{#- How regularly a customer buys, as intervals of as-of dates: the gaps between its purchase days of 24 months, in how many
    months of the year it bought, and how many purchase days in a row, none further from the next than policy allows, lead up to
    the date. A run that goes on from an earlier date looks again at the customers that have moved since. -#}
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ delete_where(gone_with_moved_customers()) }}",
) }}
-- depends_on: {{ ref('stg_run__builds') }} {{ ref('int_customers__moved') }}
with dates as (

    select
        policy.as_of_date, ordered.next_date, policy.consecutive_gap_days,
        {%- for window_name in ['365d', '730d'] %}
        {{ add_days('policy.as_of_date', '-max(case when windows.window_name = \'' ~ window_name ~ '\' then windows.window_days end)') }}
            as before_{{ window_name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_policy__in_force') }} as policy
    inner join {{ dates_needing([
        'active_month_count_365d', 'orders_per_active_month_365d', 'consecutive_purchase_count', 'purchase_gap_days_p50_730d',
        'purchase_gap_variation_730d',
    ]) }} as dates on policy.as_of_date = dates.as_of_date
    inner join {{ ref('int_run_dates__ordered') }} as ordered on policy.as_of_date = ordered.as_of_date
    inner join {{ ref('policy_windows') }} as windows on policy.policy_version = windows.policy_version
    group by policy.as_of_date, ordered.next_date, policy.consecutive_gap_days

),

purchases as (

    select
        dates.as_of_date,
        dates.next_date,
        trade.customer_id,
        trade.event_date,
        dates.consecutive_gap_days,
        dates.before_365d,
        dates.before_730d,
        lag(trade.event_date) over (
            partition by dates.as_of_date, trade.customer_id order by trade.event_date, trade.valid_from
        ) as previous_date
    from {{ ref('int_customer_days') }} as trade
    inner join dates
        on trade.valid_from <= dates.as_of_date
        and trade.valid_to > dates.as_of_date
    where trade.order_count > 0
        {%- if is_incremental() %}
        and trade.customer_id in (select moved.customer_id from {{ ref('int_customers__moved') }} as moved)
        {%- endif %}

),

gaps as (

    select
        purchases.*,
        {{ days_between('previous_date', 'event_date') }} as gap_days,
        previous_date > before_730d as is_in_730d
    from purchases

),

ranked as (

    select
        gaps.*,
        case when is_in_730d then gap_days end as gap_days_730d,
        row_number() over (
            partition by as_of_date, customer_id, is_in_730d order by gap_days, event_date
        ) as gap_number,
        max(case when coalesce(gap_days > consecutive_gap_days, true) then event_date end) over (
            partition by as_of_date, customer_id
        ) as run_date
    from gaps

),

counted as (

    select
        as_of_date, customer_id,
        max(next_date) as next_date,
        max(event_date) as last_date,
        max(consecutive_gap_days) as consecutive_gap_days,
        count(distinct case when event_date > before_365d then {{ month_start('event_date') }} end) as month_count,
        count(case when event_date >= run_date then 1 end) as run_count,
        count(gap_days_730d) as gap_count,
        sum(gap_days_730d) as gap_total,
        sum(gap_days_730d * gap_days_730d) as gap_square_total
    from ranked
    group by as_of_date, customer_id

)

select
    counted.customer_id,
    counted.as_of_date as valid_from,
    counted.next_date as valid_to,
    counted.month_count as active_month_count_365d,
    case
        when {{ days_between('counted.last_date', 'counted.as_of_date') }} <= counted.consecutive_gap_days then counted.run_count
        else 0
    end as consecutive_purchase_count,
    middle.gap_days as purchase_gap_days_p50_730d,
    {{ variation_of('counted.gap_count', 'counted.gap_total', 'counted.gap_square_total') }} as purchase_gap_variation_730d
from counted
left join ranked as middle
    on counted.as_of_date = middle.as_of_date
    and counted.customer_id = middle.customer_id
    and middle.is_in_730d
    and middle.gap_number = {{ p50_place('counted.gap_count') }}
