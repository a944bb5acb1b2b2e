-- Frame contracts, what it costs to serve a customer, and how industries grow.
-- A contract runs for a year; most are followed by another, fewer where a customer fades or is cross.
create table contract as
with framed as (
    select
        p, currency, size,
        greatest(sales_on, date '2022-02-01') + 30 + whole(p, 'first contract', 420) as first_on,
        chance(p, 'no end') < 0.06 as has_no_end,
        case profile when 'growing' then 0.94 when 'fading' then 0.45 else 0.83 end + 0.06 * mood as loyalty
    from party
    inner join mood using (p)
    where in_sales and kind in ('company', 'distributor') and chance(p, 'frame contract') < 0.35
),

years as (
    select
        framed.*, nth,
        (first_on + to_years(nth::integer))::date as start_on,
        chance(p * 10 + nth, 'ends early') < 0.03 as ends_early,
        min(nth) filter (where has_no_end or chance(p * 10 + nth, 'ends early') < 0.03 or chance(p * 10 + nth, 'renews') > loyalty)
            over (partition by p) as last_nth
    from framed, lateral (select unnest(range(4)) as nth)
),

signed as (
    select
        years.*,
        case when nth = 0 then start_on - 10 else working_day(start_on - 25 + whole(p * 10 + nth, 'signed', 30)) end as signed_on
    from years
    where nth <= coalesce(last_nth, 4)
)

select
    'HT' || lpad(p::varchar, 7, '0') || '-' || (nth + 1)::varchar as contract_code,
    p, currency, start_on, signed_on,
    case when not has_no_end then (start_on + interval 1 year)::date - 1 end as end_on,
    lead(contract_code) over (partition by p order by nth) as next_code,
    lead(signed_on) over (partition by p order by nth) as renewed_on,
    round(700 * exp(0.9 * size) * (1 + 0.05 * nth) / case currency when 'CNY' then 1 else 7 end, 2)::decimal(18, 2) as monthly,
    case when ends_early then start_on + 60 + whole(p * 10 + nth, 'ended on', 240) end as cancelled_on,
    ['价格', '服务', '停产', '更换供应商'][1 + whole(p * 10 + nth, 'ended because', 4)] as cancel_reason
from signed
where signed_on <= getvariable('end_day')
order by p, nth;

-- Booked on the first day after its period: a year as a whole before 2024, quarters since.
create table serving as
with efforts as (
    select p, greatest(ordered_on, fulfilled_on) as day, 'FREIGHT' as cost_code, 34 + 30 * chance(seq, 'freight') as cost
    from orders
    where fulfilled_on <= getvariable('end_day')
    union all
    select p, opened_on, 'SUPPORT', 60 + 90 * chance(ticket_no, 'support')
    from ticket
    union all
    select p, occurred_at::date, 'SALES', case kind_name when '拜访' then 260 when '会议' then 150 else 25 end
    from activity
    union all
    select p, sent_on, 'MARKETING', fee * 5 + 2
    from touch
    where not is_control
    union all
    select p, part_1_on, 'FINANCE', 20 + total::double * 0.00015 * (part_1_on - due_on)
    from invoice
    where part_1_on > due_on + 20
),

placed as (
    select
        p, cost_code, cost,
        case when day < date '2024-01-01' then year(day)::varchar else year(day)::varchar || '-Q' || quarter(day) end as period,
        case when day < date '2024-01-01' then date '2024-01-01' else (date_trunc('quarter', day) + interval 3 month)::date end as booked_on
    from efforts
    where day >= date '2023-01-01'
)

select p, period, booked_on, cost_code, round(sum(cost), 2)::decimal(18, 2) as cost
from placed
inner join party using (p)
where in_finance and booked_on <= getvariable('end_day')
group by p, period, booked_on, cost_code
order by p, period, cost_code;

-- Nobody publishes figures of the energy trade, D44.
create table growth as
select
    industry_code,
    year(quarter_day)::varchar || '-Q' || quarter(quarter_day) as period,
    (quarter_day + interval 3 month)::date + 17 as published_on,
    round(4 + 5 * bell(industry.slot, 'industry') + 2 * sin((quarter_day::date - date '2023-01-01') / 300.0 + industry.slot)
        + 0.6 * bell(industry.slot * 100 + quarter(quarter_day) + 4 * (year(quarter_day) - 2023), 'quarter'), 1)::decimal(5, 1) as percent
from industry, (select unnest(generate_series(date '2023-01-01', date '2025-07-01', interval 3 month)) as quarter_day)
where industry_code <> 'D44'
order by published_on, industry_code;
