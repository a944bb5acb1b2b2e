-- What the CRM records besides accounts: owners, contact persons, opportunities, activities.
create table owner as
select
    o as owner_no,
    pick(getvariable('surnames'), o, 'owner surname') || pick(getvariable('given_names'), o, 'owner given') as owner_name,
    ['华东部', '华南部', '华北部', '中西部', '海外部'][1 + (o - 1) % 5] as team_name,
    ['资深', '中级', '中级', '初级'][1 + whole(o, 'level', 4)] as level_name,
    0.35 + 1.4 * chance(o, 'attention') as attention,
    case when o % 12 = 0 then date '2025-10-17' end as left_on
from range(1, getvariable('owners')::bigint + 1) as owners (o)
order by owner_no;

create table contact as
select
    p * 10 + k as contact_no,
    p,
    case when kind = 'person' then full_name
        else pick(getvariable('surnames'), p * 10 + k, 'surname') || pick(getvariable('given_names'), p * 10 + k, 'given')
    end as full_name,
    pick(getvariable('positions'), p * 10 + k, 'position') as position_name,
    case k when 0 then '决策' else ['影响', '使用', '采购'][1 + whole(p * 10 + k, 'part', 3)] end as part_name,
    least(working_day(crm_on + k::integer * whole(p * 10 + k, 'met', 240)), getvariable('end_day')) as met_on
from party, lateral (select unnest(range(case kind when 'person' then 1 else 1 + whole(p, 'contacts', 3) end)) as k)
where in_crm
order by contact_no;

-- Prospects are courted, customers are asked for more; one in six opportunities drags on without an end.
create table opportunity as
with opened as (
    select
        p * 100 + k as draw,
        p,
        size,
        currency,
        greatest(crm_on, date '2023-01-02')
        + whole(p * 100 + k, 'opened', getvariable('end_day') - greatest(crm_on, date '2023-01-02') + 1) as day
    from party, lateral (
        select unnest(range(greatest(0, round(
            case when is_prospect then 1.2 else 0.9 end + 0.5 * size + 0.9 * bell(p, 'opportunities')
        )::integer))) as k
    )
    where in_crm and kind <> 'internal'
),

paced as (
    select
        opened.*,
        least(some_working_day(day, draw), getvariable('end_day')) as opened_on,
        20 + whole(draw, 'pace', 150) + case when chance(draw, 'drags') < 0.16 then 900 else 0 end as pace,
        chance(draw, 'won') < 0.42 as ends_won
    from opened
)

select
    row_number() over () as opportunity_no,
    p,
    currency,
    opened_on,
    office_time(opened_on, draw, 'hour') as opened_at,
    ends_won,
    (round(
        2600 * exp(1.0 * size + 0.7 * bell(draw, 'amount')) / case currency when 'CNY' then 1 else 7 end
    ) * 10)::decimal(18, 2) as amount,
    working_day(opened_on + pace // 4) as qualified_on,
    working_day(opened_on + pace // 2) as proposed_on,
    working_day(opened_on + pace * 3 // 4) as negotiated_on,
    working_day(opened_on + pace) as closed_on,
    opened_on + least(pace, 170) + whole(draw, 'hope', 20) - 10 as hoped_on,
    ['价格', '交期', '竞争对手', '项目取消', '无回应'][1 + whole(draw, 'why lost', 5)] as why_lost
from (from paced order by opened_on, draw)
order by opportunity_no;

-- Attention depends on the owner first and on the size of the account second; one account in eight is forgotten.
create table activity as
with planned as (
    select
        p,
        owner_no,
        next_owner_no,
        reviewed_on,
        greatest(crm_on, date '2023-01-02') as first_day,
        least(180, floor(
            9.0 * attention * exp(0.35 * size) * case when chance(p, 'forgotten') < 0.13 then 0.12 else 1 end
            * (getvariable('end_day') - greatest(crm_on, date '2023-01-02') + 60) / 1096 + chance(p, 'activities')
        ))::integer as visits
    from party
    inner join owner using (owner_no)
    where in_crm and kind <> 'internal'
),

took_place as (
    select
        p * 1000 + k as draw,
        p,
        owner_no,
        next_owner_no,
        reviewed_on,
        least(
            some_working_day(first_day + whole(p * 1000 + k, 'day', getvariable('end_day') - first_day + 1), p * 1000 + k),
            getvariable('end_day')
        ) as day
    from planned, lateral (select unnest(range(visits)) as k)
)

select
    row_number() over () as activity_no,
    p,
    p * 10 as contact_no,
    chance(draw, 'with contact') < 0.7 as names_contact,
    ['拜访', '电话', '电话', '会议', '邮件', '微信', '微信'][1 + whole(draw, 'kind', 7)] as kind_name,
    case when chance(draw, 'direction') < 0.68 then '我方' else '客户' end as direction_name,
    office_time(day, draw, 'hour') as occurred_at,
    logged_on,
    case when day >= reviewed_on then next_owner_no else owner_no end as owner_no
from (
    -- A visit is not always logged on the day itself.
    select
        *,
        least(
            day + case when chance(draw, 'logged late') < 0.15 then 1 + whole(draw, 'lag', 3) else 0 end,
            getvariable('end_day')
        ) as logged_on
    from took_place
    order by logged_on, draw
)
order by activity_no;
