-- How customers stand with us and in the world: their mood, what the CRM is told of them, their people, and leads.
-- Late deliveries and goods that come back spoil the mood; who is in a good one buys more, answers more, stays longer.
create table mood as
select
    party.p,
    0.5 * bell(party.p, 'temper') + 0.06 * size + 0.4 * (least(3, ln(1 + coalesce(bought_lately, 0))) - 1.2)
    + case profile when 'growing' then 0.6 when 'fading' then -0.9 when 'new' then 0.2 else 0 end
    - 1.2 * coalesce(late_share, 0) - 0.9 * coalesce(returned_share, 0) + 0.15 as mood
from party
left join (
    select p, avg((fulfilled_on > promised_on)::integer) as late_share, avg((returned_on is not null)::integer) as returned_share,
        count(*) filter (ordered_on > getvariable('end_day') - 365) as bought_lately
    from orders
    group by p
) using (p)
order by p;

create table standing as
with drawn as (
    select
        party.*,
        mood,
        case when p > 3 and in_crm and chance(p, 'is recommended') < 0.14
            then 3 + floor(pow(chance(p, 'who recommended'), 1.6) * (p - 3))::integer end as referrer,
        round(8000000 * exp(1.1 * size + 0.5 * bell(p, 'revenue'))
            / case currency when 'CNY' then 1 when 'USD' then 7.15 else 7.8 end, -4) as yearly,
        chance(p, 'org type') as org_draw,
        -- A house that grows earns more often than one that leaves us.
        chance(p, 'profit') + case profile when 'growing' then 0.15 when 'fading' then -0.15 else 0 end as profit_draw,
        chance(p, 'profit trend') + case profile when 'growing' then 0.2 when 'fading' then -0.2 else 0 end as trend_draw
    from party
    inner join mood using (p)
    where in_crm
)

select
    drawn.p,
    crm_code(older.p) as referred_by,
    case
        when drawn.kind = 'person' then null when drawn.kind = 'internal' then '其他'
        when drawn.country <> 'CN' or org_draw < 0.08 then '外资' when org_draw < 0.17 then '国有' when org_draw < 0.22 then '事业单位'
        when org_draw < 0.25 then '其他' when org_draw < 0.28 then '未知' else '民营' end as org_type,
    case when drawn.kind <> 'person' and chance(drawn.p, 'revenue known') < 0.7 then yearly::decimal(18, 2) end as revenue,
    case when drawn.kind <> 'person' and chance(drawn.p, 'assets known') < 0.55
        then round(yearly * 0.8 * exp(0.3 * bell(drawn.p, 'assets')), -4)::decimal(18, 2) end as assets,
    case
        when drawn.country <> 'CN' then null when drawn.city in ('上海', '北京', '广州', '深圳') then '一线'
        when drawn.city in ('厦门', '石家庄', '昆明') then '二线' when drawn.city = '唐山' then '三线' else '新一线' end as city_tier,
    case when chance(drawn.p, 'price rated') < 0.6
        then least(5, greatest(1, round(3 + 0.7 * bell(drawn.p, 'bargain') + 0.6 * bell(drawn.p, 'price'))))::integer end as price_rating,
    case when chance(drawn.p, 'quality rated') < 0.6
        then least(5, greatest(1, round(3.1 + 0.4 * drawn.size + 0.8 * bell(drawn.p, 'quality'))))::integer end as quality_rating,
    case when chance(drawn.p, 'brand rated') < 0.6
        then least(5, greatest(1, round(3 + 0.6 * mood + 0.7 * bell(drawn.p, 'brand'))))::integer end as brand_rating,
    case
        when drawn.kind = 'person' or chance(drawn.p, 'profit known') > 0.75 then null
        when profit_draw < 0.17 then '亏损' when profit_draw < 0.38 then '持平' when profit_draw < 0.96 then '盈利' else '未知' end as profit_state,
    case
        when drawn.kind = 'person' or chance(drawn.p, 'profit known') > 0.75 then null
        when trend_draw < 0.22 then '下降' when trend_draw < 0.62 then '平稳' when trend_draw < 0.98 then '上升' else '未知' end as profit_trend
from drawn
left join party as older
    on older.p = drawn.referrer and older.p <> drawn.p and older.crm_on < drawn.crm_on and older.in_sales and older.kind <> 'internal'
order by drawn.p;

-- Private customers, and the owners of one company in ten. Every household of the textbook is somebody's.
create table person as
with known as (
    select
        p, crm_on,
        row_number() over (order by chance(p, 'household'), p) % 8 as household
    from party
    where in_crm and (kind = 'person' or kind = 'company' and country = 'CN' and chance(p, 'owner known') < 0.1)
),

households (household, marital, age_from, age_to, children_from, children_to, youngest_from, youngest_to) as (
    values
    (0, '未婚', 23, 41, 0, 0, null, null), (1, '已婚', 26, 45, 0, 0, null, null), (2, '已婚', 26, 39, 1, 2, 0, 2),
    (3, '已婚', 32, 49, 1, 3, 3, 10), (4, '已婚', 42, 57, 1, 3, 11, 17), (5, '离异', 30, 50, 1, 2, 1, 16),
    (6, '已婚', 52, 73, 1, 3, 20, 40), (7, '未知', 25, 60, null, null, null, null)
)

select
    p,
    least(working_day(crm_on + whole(p, 'asked about', 90)), getvariable('end_day')) as known_on,
    year(getvariable('end_day')) - age_from - whole(p, 'age', age_to - age_from + 1) as birth_year,
    case when chance(p, 'sex') < 0.02 then '其他' when chance(p, 'sex') < 0.05 then '未知' when chance(p, 'sex') < 0.6 then '男' else '女' end
        as gender,
    case when household in (5, 6) and chance(p, 'widowed') < 0.25 then '丧偶' else marital end as marital,
    children_from + whole(p, 'children', children_to - children_from + 1) as children,
    youngest_from + whole(p, 'youngest', youngest_to - youngest_from + 1) as youngest,
    ['10万以下', '10-30万', '30-60万', '60万以上'][1 + whole(p, 'income', 4)] as income,
    ['高中', '大专', '本科', '硕士'][1 + whole(p, 'education', 4)] as education,
    ['企业主', '工程师', '个体户', '教师', '职员', '退休'][1 + whole(p, 'occupation', 6)] as occupation,
    pick(['运动', '旅行', '亲子'], p, 'first habit') || '|' || pick(['阅读', '科技', '美食', '园艺'], p, 'second habit') as habits
from known
inner join households using (household)
order by p;

-- A lead is spoken to every few days until it is won, lost or found to be none; some are let lie.
create table lead as
with came as (
    -- What became an account, what customers ask for besides, and what became nothing.
    select p * 10 as draw, p, crm_on as account_on, crm_on - 5 - whole(p, 'lead time', 40) as created_on,
        case when not is_prospect then 'won' when chance(p, 'lead ends') < 0.5 then 'lost' else 'open' end as ends, sales_on as won_on
    from party
    where in_crm and kind <> 'internal' and crm_on >= date '2024-01-01'
    union all
    select p * 10 + 1, p, crm_on, greatest(crm_on, date '2024-01-01')
            + whole(p, 'asks again', getvariable('end_day') - greatest(crm_on, date '2024-01-01') + 1),
        case when chance(p, 'lead ends') < 0.35 + 0.1 * mood then 'won' when chance(p, 'lead ends') < 0.8 then 'lost' else 'open' end, null
    from party
    inner join mood using (p)
    where in_crm and kind <> 'internal' and chance(p, 'has another need') < 0.25
    union all
    select 10000000000 + n, null, null, date '2024-01-01' + whole(n, 'lead came', 730),
        case when chance(n, 'lead ends') < 0.3 then 'invalid' when chance(n, 'lead ends') < 0.8 then 'lost' else 'open' end, null
    from range(getvariable('accounts')::bigint * 2 // 5) as strangers (n)
),

paced as (
    select
        came.*,
        some_working_day(created_on, draw) as came_on,
        case ends when 'won' then coalesce(won_on, came_on + 20 + whole(draw, 'lead pace', 100))
            when 'lost' then came_on + 20 + whole(draw, 'lead pace', 160) when 'invalid' then came_on + 1 + whole(draw, 'lead pace', 15)
        end as ends_on,
        case when ends <> 'invalid' and chance(draw, 'meets') < case ends when 'won' then 0.95 else 0.5 end
            then came_on + 2 + whole(draw, 'meets after', 25) end as meets_on
    from came
)

select
    row_number() over () as lead_no,
    p, draw, account_on, came_on, ends,
    greatest(ends_on, came_on + 1) as ends_on,
    case when meets_on < coalesce(ends_on, date '9999-01-01') then meets_on end as met_on,
    chance(draw, 'budget') < case ends when 'won' then 0.9 when 'invalid' then 0.05 else 0.35 end as has_budget,
    -- Some that came lately have not been called yet.
    came_on + whole(draw, 'first call', 4) + case when ends = 'open' and chance(draw, 'waits') < 0.25 then 45 else 0 end as spoken_on,
    4 + whole(draw, 'call every', 18) as calls_every,
    came_on + 20 + whole(draw, 'let lie after', 200) as let_lie_on
from (from paced where came_on <= getvariable('end_day') order by came_on, draw)
order by lead_no;
