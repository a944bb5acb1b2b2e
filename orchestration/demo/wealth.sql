-- What the finance subsidiary keeps for some customers, and what people have agreed to. It is small: one customer in
-- twenty, and never more than five thousand. Their wealth lies on both sides of every threshold that banks use.
create table holder as
select
    p, currency, nth,
    [40000, 320000, 1500000, 2700000, 4200000, 6400000, 9600000][1 + nth % 7] * (0.85 + 0.3 * chance(p, 'wealth')) as wealth,
    case when nth % 3 = 1 then [150000, 900000, 2400000, 5200000][1 + whole(p, 'loan', 4)] * (0.85 + 0.3 * chance(p, 'loan size')) end as loan
from (
    select p, 'CNY' as currency, row_number() over (order by kind = 'person' desc, chance(p, 'banks with us'), p) - 1 as nth
    from party
    where in_finance and country = 'CN' and kind in ('person', 'company')
)
where nth < greatest(7, least(5000, 0.05 * getvariable('parties')))
order by p;

-- The months since September are kept day by day. What comes in at the month's end is spent within it.
create table balance as
with parts as (
    select p, currency, part.kind_code, part.amount
    from holder, lateral (
        select unnest([
            {'kind_code': 'DEP', 'amount': wealth * case when nth % 2 = 0 then 0.35 else 1 end},
            {'kind_code': 'WMP', 'amount': case when nth % 2 = 0 then wealth * 0.3 end},
            {'kind_code': 'INS', 'amount': case when nth % 4 = 0 then wealth * 0.15 end},
            {'kind_code': 'FND', 'amount': case when nth % 2 = 0 then wealth * case when nth % 4 = 0 then 0.2 else 0.35 end end},
            {'kind_code': 'PLN', 'amount': loan}
        ]) as part
    )
    where part.amount is not null
)

select
    p, currency, kind_code,
    day::date as day,
    round(amount * case kind_code
        when 'DEP' then 1 + 0.10 * sin((dayofmonth(day) + p % 31) / 5.0) + 0.02 * (chance(p * 100 + dayofyear(day), 'moves') - 0.5)
        when 'PLN' then 1 - 0.0006 * (day::date - date '2025-09-01')
        when 'INS' then 1
        else 1 + 0.00015 * (day::date - date '2025-09-01') + 0.01 * sin((day::date - date '2025-09-01') / 9.0)
    end, 2)::decimal(18, 2) as balance
from parts, (select unnest(generate_series(date '2025-09-01', getvariable('end_day'), interval 1 day)) as day)
order by day, p, kind_code;

-- Most agree; some refuse, and some take back what they said or change their mind.
create table consent as
with asked as (
    select p * 10 as draw, '个人' as subject_name, 'P' || lpad(p::varchar, 6, '0') as subject, 'CRM' as system_name, 'profiling' as purpose,
        known_on as asked_on
    from person
    union all
    select p * 10 + 1, '个人', 'P' || lpad(p::varchar, 6, '0'), 'CRM', 'psychographic', known_on
    from person
    union all
    select p * 10 + 2, '客户', case when in_crm then crm_code(p) else debtor_code(p) end, case when in_crm then 'CRM' else 'FIN' end,
        'profiling', greatest(sales_on, date '2021-11-01')
    from party
    where p in (from holder select p) or p in (from person select p) or in_crm and chance(p, 'asked to profile') < 0.4
    union all
    select p * 10 + 3, '客户', crm_code(p), 'CRM', 'marketing', greatest(crm_on, date '2021-11-01')
    from party
    where in_crm and kind <> 'internal'
    union all
    select p * 10 + 4, '客户', crm_code(p), 'CRM', 'automated_decision', greatest(crm_on, date '2021-11-01')
    from party
    where in_crm and kind = 'person'
),

first_words as (
    select asked.* exclude (asked_on), chance(draw, 'agrees') < 0.88 as given,
        least(working_day(asked_on + whole(draw, 'asked after', 20)), getvariable('end_day')) as decided_on
    from asked
),

second_words as (
    select draw, subject_name, subject, system_name, purpose, not given as given,
        decided_on + 1 + whole(draw, 'thinks again on', getvariable('end_day') - decided_on + 1) as decided_on
    from first_words
    where chance(draw, 'thinks again') < 0.09
)

select words.*, office_time(decided_on, draw, 'consent hour') as decided_at,
    ['拜访', '网站', '合同'][1 + whole(draw, 'said where', 3)] as said_where
from (from first_words union all from second_words) as words
where decided_on <= getvariable('end_day')
order by decided_on, draw, given;
