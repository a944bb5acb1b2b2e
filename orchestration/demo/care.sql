-- What customers ask and complain of, and what they answer when they are asked.
create table ticket as
with reasons as (
    select seq * 4 as draw, p, fulfilled_on as day, '投诉' as kind_name, '交付延迟' as subject
    from orders
    inner join mood using (p)
    where odd_end is null and fulfilled_on > promised_on and chance(seq, 'complains of delay') < 0.3 - 0.1 * mood
    union all
    select seq * 4 + 1, p, min(returned_on) - 2, '退货', min(reason)
    from returned
    where chance(seq, 'opens a return') < 0.6
    group by seq, p
    union all
    select seq * 4 + 2, p, min(returned_on) + 1, '投诉', '质量问题'
    from returned
    inner join mood using (p)
    where reason = '质量问题' and chance(seq, 'complains of quality') < 0.35 - 0.1 * mood
    group by seq, p
    union all
    select
        20000000000 + p * 20 + k, p, date '2024-01-01' + whole(p * 20 + k, 'asks on', 731),
        ['请求', '请求', '咨询', '咨询', '建议', '投诉'][1 + whole(p * 20 + k, 'asks for', 6)],
        ['账单', '产品资料', '交付', '安装调试', '价格'][1 + whole(p * 20 + k, 'asks about', 5)]
    from party, lateral (
        select unnest(range(least(12, floor(0.9 * exp(0.4 * size) + chance(p, 'asks')))::integer)) as k
    )
    where in_sales
),

opened as (
    select
        reasons.* exclude (day),
        some_working_day(day, draw) as opened_on,
        office_time(opened_on, draw, 'ticket hour') as opened_at,
        opened_at + to_minutes(8 + floor(pow(chance(draw, 'answered'), 3) * 4300)::integer) as replied_at,
        case when chance(draw, 'stays open') >= 0.04
            then replied_at + to_minutes(60 + floor(pow(chance(draw, 'solved'), 2) * 26000)::integer) end as closed_at
    from reasons
    inner join party using (p)
    where in_crm and kind <> 'internal' and day between date '2024-01-01' and getvariable('end_day')
)

select
    row_number() over () as ticket_no,
    p, kind_name, subject, opened_on, opened_at, replied_at, closed_at,
    replied_at::date as replied_on,
    closed_at::date as closed_on,
    'P' || (1 + whole(draw, 'urgency', 3) + case kind_name when '投诉' then 0 else 1 end)::varchar as urgency,
    case when chance(draw, 'again') < 0.06 then 1 + whole(draw, 'and again', 2) else 0 end as reopened,
    -- The sooner it is solved, the better the mark.
    case when chance(draw, 'marks') < 0.45 then least(5, greatest(1, round(4 + 0.7 * mood + 0.7 * bell(draw, 'mark')
        - date_diff('day', opened_at, closed_at) / 9.0 - case kind_name when '投诉' then 0.7 else 0 end)))::integer end as stars
from (
    select opened.*, mood from opened
    inner join mood using (p)
    where opened_on <= getvariable('end_day')
    order by opened_on, draw
)
order by ticket_no;

-- Everybody is asked twice a year whether they would recommend us, some after a ticket, a few how easy it is.
create table survey as
with waves (wave, survey_name, metric_name, asked_on, share, lowest, highest) as (
    values
    (1, 'NPS-2024-1', '推荐意愿', date '2024-05-20', 0.45, 0, 10), (2, 'NPS-2024-2', '推荐意愿', date '2024-11-18', 0.45, 0, 10),
    (3, 'NPS-2025-1', '推荐意愿', date '2025-05-19', 0.45, 0, 10), (4, 'NPS-2025-2', '推荐意愿', date '2025-11-17', 0.45, 0, 10),
    (5, 'CES-2025', '费力度', date '2025-09-08', 0.1, 1, 7)
),

asked as (
    select p * 10 + wave as draw, p, survey_name, metric_name, lowest, highest, asked_on
    from party, waves
    where in_crm and in_sales and kind <> 'internal' and sales_on < asked_on and chance(p * 10 + wave, 'is asked') < share
    union all
    select 30000000000 + ticket_no, p, 'CSAT', '满意度', 1, 5, working_day(closed_on + 1)
    from ticket
    where chance(ticket_no, 'is asked') < 0.4 and working_day(closed_on + 1) <= getvariable('end_day')
)

select
    row_number() over () as survey_no,
    p, survey_name, metric_name, lowest, highest, asked_on,
    office_time(asked_on, draw, 'asked hour') as asked_at,
    case when chance(draw, 'answers') < 0.42 + 0.08 * mood then asked_at + to_minutes(30 + whole(draw, 'answers after', 18000)) end
        as answered_at,
    answered_at::date as answered_on,
    least(highest, greatest(lowest, round(
        lowest + (highest - lowest) * (0.7 + 0.17 * mood + 0.13 * bell(draw, 'answer'))
    )))::integer as score
from (
    select asked.*, mood from asked
    inner join mood using (p)
    order by asked_on, draw
)
order by survey_no;
