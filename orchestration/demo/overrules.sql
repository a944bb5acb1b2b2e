-- What managers decide of a customer's tier against the score: for a time, with a reason, by name.
create table overrule as
select
    p,
    working_day(greatest(crm_on, date '2025-02-03') + whole(p, 'overruled', 290)) as decided_on,
    case when chance(p, 'lifted') < 0.7 then 'lifted' else 'held' end as way,
    [90, 180, 365][1 + whole(p, 'overruled for', 3)] as days,
    chance(p, 'no end of it') < 0.1 as has_no_end
from party
where in_crm and in_sales and kind <> 'internal' and chance(p, 'is overruled') < 0.02
order by p;

create macro reference_override(since_day, until_day) as table
select
    'GZ' || lpad(p::varchar, 6, '0') as 编号,
    'CRM' as 系统,
    crm_code(p) as 客户编号,
    '客户等级' as 评级,
    case way when 'lifted' then ['T1', 'T2', 'T2'][1 + whole(p, 'lifted to', 3)] end as 最低等级,
    case way when 'held' then ['T2', 'T3', 'T3'][1 + whole(p, 'held at', 3)] end as 最高等级,
    case way
        when 'lifted' then ['新战略合作，先按承诺服务', '总部客户的子公司', '集团采购试点'][1 + whole(p, 'lifted because', 3)]
        else ['货款争议未决', '合同到期未续', '渠道冲突处理中'][1 + whole(p, 'held because', 3)]
    end as 理由,
    pick(getvariable('surnames'), p, 'approver surname') || pick(getvariable('given_names'), p, 'approver') as 批准人,
    decided_on as 生效日,
    case when not has_no_end then decided_on + days end as 失效日
from overrule
where within(decided_on, since_day, until_day)
order by p;
