-- What the CRM tells of people and leads, and what the helpdesk, the campaign tool, the register of consents and the
-- bureau send. Every system has its own way: Chinese headers, lines of JSON, codes for yes and no, growth in percent.
create macro crm_person(since_day, until_day) as table
select
    'P' || lpad(p::varchar, 6, '0') as 个人编号,
    crm_code(p) as 客户编号,
    birth_year as 出生年份,
    gender as 性别,
    marital as 婚姻,
    children as 子女数,
    youngest as 最小子女年龄,
    income as 年收入,
    education as 教育程度,
    occupation as 职业,
    habits as 生活方式
from person
where within(known_on, since_day, until_day)
order by p;

-- The last of the calls that were made by then.
create macro last_call(spoken_on, calls_every, stop_on, until_day) as
    case when spoken_on <= until_day
        then spoken_on + (greatest(0, least(until_day, stop_on) - spoken_on) // calls_every * calls_every)::integer end;

create macro crm_lead(since_day, until_day) as table
with told as (
    select
        lead.*,
        case when ends_on <= until_day then ends else 'open' end as outcome,
        coalesce(met_on <= until_day, false) as is_met,
        last_call(spoken_on, calls_every, least(let_lie_on, coalesce(ends_on, let_lie_on)), until_day) as called_on,
        has_budget and met_on + 3 <= until_day as knows_budget
    from lead
    where came_on <= until_day
)

select
    'XS' || lpad(lead_no::varchar, 7, '0') as 线索编号,
    case when account_on <= until_day then crm_code(p) end as 客户编号,
    office_time(came_on, draw, 'lead hour') as 创建时间,
    -- Sellers hope: one lead in twelve has a better grade than it deserves.
    case
        when outcome in ('lost', 'invalid') then 'D'
        when knows_budget or is_met and chance(draw, 'hopes') < 0.08 then 'S'
        when is_met or called_on is not null and chance(draw, 'hopes') < 0.08 then 'A'
        when called_on is not null then 'B'
        else 'C'
    end as 线索等级,
    case outcome when 'won' then '已成交' when 'lost' then '已流失' when 'invalid' then '无效'
        else case when is_met then '已到访' when called_on is not null then '跟进中' else '新建' end end as 线索状态,
    case outcome when 'won' then '成交' when 'lost' then '流失' when 'invalid' then '无效' else '进行中' end as 结果,
    case when called_on is not null then yes_no(coalesce(knows_budget, false)) end as 有预算,
    case when is_met then office_time(met_on, draw, 'met hour') end as 到访时间,
    -- Never before the lead came in: the first call may be made on the same day.
    case when called_on is not null then office_time(called_on, draw, 'lead hour') + interval 20 minute end as 最近联系,
    case when outcome = 'open' and called_on is not null and let_lie_on > until_day
        then office_time(called_on + case when knows_budget then 1 when is_met then 3 else 7 end, draw, 'next hour') end as 下次跟进
from told
where within(came_on, since_day, until_day) or within(called_on, since_day, until_day) or within(met_on, since_day, until_day)
    or within(met_on + 3, since_day, until_day) or within(ends_on, since_day, until_day) or within(account_on, since_day, until_day)
order by lead_no;

create macro service_case(since_day, until_day) as table
select
    'TK-' || lpad(ticket_no::varchar, 7, '0') as ticket,
    {'code': crm_code(p)} as account,
    {'opened': opened_at, 'first_reply': case when replied_on <= until_day then replied_at end,
        'closed': case when closed_on <= until_day then closed_at end} as at,
    case kind_name when '投诉' then 'complaint' when '退货' then 'rma' when '建议' then 'idea' when '咨询' then 'question' else 'request' end
        as topic,
    urgency,
    subject,
    case when closed_on <= until_day then reopened else 0 end as reopened,
    case when closed_on <= until_day then stars end as stars
from ticket
where opened_on <= until_day and (within(opened_on, since_day, until_day) or within(replied_on, since_day, until_day)
    or within(closed_on, since_day, until_day))
order by ticket_no;

create macro survey_response(since_day, until_day) as table
select
    'WJ' || lpad(survey_no::varchar, 7, '0') as 问卷编号,
    survey_name as 调查,
    crm_code(p) as 客户编号,
    asked_at as 发送时间,
    case when answered_on <= until_day then answered_at end as 回答时间,
    metric_name as 指标,
    case when answered_on <= until_day then score end as 得分,
    lowest as 最低分,
    highest as 最高分
from survey
where asked_on <= until_day and (within(asked_on, since_day, until_day) or within(answered_on, since_day, until_day))
order by survey_no;

create macro y_n(flag) as case when flag then 'Y' else 'N' end;

create macro marketing_touch(since_day, until_day) as table
select
    'T' || lpad(touch_no::varchar, 7, '0') as touch_no,
    sales_code(p) as cust_code,
    campaign,
    channel,
    sent_at as sent_time,
    y_n(arrives) as delivered,
    y_n(opens and acted_on <= until_day) as opened,
    y_n(follows and acted_on <= until_day) as clicked,
    y_n(buys and acted_on <= until_day) as bought,
    y_n(has_enough and acted_on <= until_day) as opted_out,
    case when is_control then 0 else fee end::decimal(18, 2) as fee,
    'CNY' as currency,
    y_n(is_control) as control_group
from touch
where sent_on <= until_day and (within(sent_on, since_day, until_day)
    or (opens or buys) and within(acted_on, since_day, until_day))
order by touch_no;

create macro marketing_event(since_day, until_day) as table
select
    event_code as event_no,
    sales_code(p) as cust_code,
    kind_name as event_kind,
    registered_at as registered_time,
    case when held_on <= until_day then y_n(comes) end as came
from guest
where registered_on <= until_day and (within(registered_on, since_day, until_day) or within(held_on, since_day, until_day))
order by event_no, cust_code;

create macro privacy_consent(since_day, until_day) as table
select
    system_name as system,
    subject_name as subject_kind,
    subject,
    purpose,
    y_n(given) as agreed,
    decided_at as decided_time,
    said_where as said_in
from consent
where within(decided_on, since_day, until_day)
order by decided_time, subject, purpose;

create macro enrich_industry(since_day, until_day) as table
select
    industry_code as 行业代码,
    period as 季度,
    percent as 同比增速
from growth
where within(published_on, since_day, until_day)
order by period, industry_code;
