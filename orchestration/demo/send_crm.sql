-- What the CRM exports: Chinese headers and values, local time without a zone, records told in (since_day, until_day].
create macro yes_no(flag) as case when flag then '是' else '否' end;

-- What the CRM knows of an account. Where a review changes a value, both stand here: 92 daily exports need not draw it again.
create table crm_card as
select
    party.p, full_name, region, city, owner_no, next_owner_no, crm_on, reviewed_on,
    crm_code(parent) as parent_code,
    case kind when 'company' then '企业' when 'person' then '个人' when 'distributor' then '经销商' else '内部' end as kind_name,
    office_time(crm_on, p, 'crm hour') as created_at,
    case when kind <> 'person' and chance(p, 'industry known') < 0.93 then industry_code end as industry_code,
    case when kind <> 'person' and chance(p, 'staff known') < 0.88
        then greatest(2, round(exp(3.9 + 0.7 * size + 0.7 * bell(p, 'staff'))))::integer end as staff,
    case country when 'CN' then '中国' when 'DE' then '德国' when 'IT' then '意大利' when 'FR' then '法国' when 'US' then '美国'
        when 'SG' then '新加坡' when 'TH' then '泰国' when 'AE' then '阿联酋' else '日本' end as country_name,
    case when chance(p, 'tax id in crm') < 0.80 then true_tax_id end as tax_id,
    case when chance(p, 'tax id in crm') < 0.95 then true_tax_id end as next_tax_id,
    size + 0.6 * bell(p, 'strategic') > 2.0 as is_strategic,
    size > 1.2 as next_is_strategic,
    case when chance(p, 'rated') < 0.75 then 2.6 + 0.6 * size + 0.9 * bell(p, 'rating') end as influence,
    currency,
    standing.* exclude (p)
from party
inner join standing using (p)
where in_crm
order by party.p;

create macro rating(influence) as least(5, greatest(1, round(influence)))::integer;

create macro crm_account(since_day, until_day) as table
select
    crm_code(p) as 客户编号,
    full_name as 客户名称,
    kind_name as 客户类型,
    parent_code as 上级客户,
    owner_code(case when reviewed_on <= until_day then next_owner_no else owner_no end) as 负责人,
    created_at as 创建时间,
    industry_code as 行业类型,
    staff as 员工人数,
    country_name as 国家,
    case when p % 50 <> 7 then region end as 地理位置,
    city as 城市,
    case when reviewed_on <= until_day then next_tax_id else tax_id end as 统一社会信用代码,
    yes_no(case when reviewed_on <= until_day then next_is_strategic else is_strategic end) as 战略意义,
    case when influence is not null
        then rating(influence + case when reviewed_on <= until_day then 0.8 else 0 end) end as 影响力,
    referred_by as 推荐人,
    org_type as 组织性质,
    revenue as 年营业额,
    assets as 总资产,
    currency as 币种,
    city_tier as 城市等级,
    price_rating as 价格敏感度,
    quality_rating as 质量诉求,
    brand_rating as 品牌偏好,
    profit_state as 经营状况,
    profit_trend as 利润走势
from crm_card
where crm_on <= until_day and (within(crm_on, since_day, until_day) or within(reviewed_on, since_day, until_day))
order by p;

create macro crm_owner(since_day, until_day) as table
select
    owner_code(owner_no) as 员工编号,
    owner_name as 姓名,
    team_name as 团队,
    level_name as 级别,
    yes_no(coalesce(left_on > until_day, true)) as 在职
from owner
where since_day < date '2016-01-01' or within(left_on, since_day, until_day)
order by owner_no;

create macro crm_contact(since_day, until_day) as table
select
    'K' || lpad(contact_no::varchar, 8, '0') as 联系人编号,
    crm_code(p) as 客户编号,
    full_name as 姓名,
    case when chance(contact_no, 'mail known') < 0.8 then 'k' || contact_no || '@kunde' || p % 997 || '.example' end as 邮箱,
    -- No subscriber has a number that begins with 100.
    case when chance(contact_no, 'phone known') < 0.9
        then '100' || lpad(whole(contact_no, 'phone', 100000000)::varchar, 8, '0') end as 电话,
    position_name as 职务,
    part_name as 决策角色
from contact
where within(met_on, since_day, until_day)
order by contact_no;

create macro crm_opportunity(since_day, until_day) as table
select
    'OP' || lpad(opportunity_no::varchar, 7, '0') as 商机编号,
    crm_code(p) as 客户编号,
    case
        when closed_on <= until_day and ends_won then '赢单'
        when closed_on <= until_day then '输单'
        when negotiated_on <= until_day then '商务谈判'
        when proposed_on <= until_day then '方案报价'
        when qualified_on <= until_day then '需求确认'
        else '线索'
    end as 阶段,
    yes_no(closed_on <= until_day and ends_won) as 是否赢单,
    yes_no(closed_on <= until_day) as 是否关闭,
    case when proposed_on <= until_day or chance(opportunity_no, 'early amount') < 0.7 then amount end as 预计金额,
    currency as 币种,
    case
        when closed_on <= until_day and ends_won then 1
        when closed_on <= until_day then 0
        when negotiated_on <= until_day then 0.7
        when proposed_on <= until_day then 0.5
        when qualified_on <= until_day then 0.25
        else 0.1
    end::decimal(4, 2) as 赢率,
    opened_at as 创建时间,
    case when closed_on <= until_day then closed_on else hoped_on end as 结束日期,
    case when closed_on <= until_day and not ends_won then why_lost end as 输单原因,
    case when closed_on <= until_day and not ends_won and why_lost = '竞争对手'
        then ['固瑞工业', '联拓机电', '东城五金'][1 + whole(opportunity_no, 'rival', 3)] end as 中标对手
from opportunity
where opened_on <= until_day and (
    within(opened_on, since_day, until_day) or within(qualified_on, since_day, until_day)
    or within(proposed_on, since_day, until_day) or within(negotiated_on, since_day, until_day)
    or within(closed_on, since_day, until_day))
order by opportunity_no;

create macro crm_activity(since_day, until_day) as table
select
    'HD' || lpad(activity_no::varchar, 8, '0') as 活动编号,
    crm_code(p) as 客户编号,
    case when names_contact then 'K' || lpad(contact_no::varchar, 8, '0') end as 联系人编号,
    kind_name as 沟通方式,
    direction_name as 发起方,
    occurred_at as 发生时间,
    owner_code(owner_no) as 负责人
from activity
where within(logged_on, since_day, until_day)
order by activity_no;
