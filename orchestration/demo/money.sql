-- Invoices, what is credited, and how debtors pay. Only orders with a known debtor are invoiced.
create table returned as
select
    line_key, seq, p, currency, returned_on, back,
    round(lines.net::double * back / quantity, 2)::decimal(15, 2) as net_back,
    case currency when 'CNY' then round(net_back * 0.13, 2) else 0 end::decimal(15, 2) as tax,
    round(cost::double * back / quantity, 2)::decimal(15, 2) as cost,
    chance(line_key, 'orphan') < 0.03 as is_orphan,
    ['质量问题', '规格不符', '多发', '客户取消'][1 + whole(line_key, 'why back', 4)] as reason
from lines
where back > 0 and returned_on <= getvariable('end_day')
order by line_key;

create table invoice as
with totals as (
    select seq, sum(net + tax)::decimal(15, 2) as total, sum(tax)::decimal(15, 2) as tax
    from lines
    group by seq
),

credits as (
    select seq, sum(net_back + tax)::decimal(15, 2) as credit, min(returned_on) as returned_on
    from returned
    group by seq
),

issued as (
    select
        seq, orders.p, orders.currency, totals.total, totals.tax, false as is_opening,
        orders.fulfilled_on + whole(seq, 'issue lag', 3) as issued_on,
        coalesce(credits.credit, 0)::decimal(15, 2) as credit,
        greatest(credits.returned_on, issued_on) + 1 as credit_on
    from orders
    inner join totals using (seq)
    inner join party on party.p = orders.p
    left join credits using (seq)
    where party.in_finance and orders.reference <> 'cash' and issued_on <= getvariable('end_day')

    union all by name

    -- Carried over from the ledger that was in use before.
    select
        -p as seq, p, currency, round(3000 * exp(0.9 * size), 2)::decimal(15, 2) as total, 0::decimal(15, 2) as tax,
        true as is_opening, date '2022-12-31' as issued_on, 0::decimal(15, 2) as credit
    from party
    where in_finance and sales_on < date '2022-10-01' and chance(p, 'opening balance') < 0.02
),

habits as (
    select
        issued.*,
        terms_days,
        issued_on + terms_days as due_on,
        payer,
        case when chance(seq, 'void') < 0.002 and credit = 0 then issued_on + 2 end as voided_on,
        credit = 0 and chance(seq, 'in parts') < 0.08 as in_parts,
        payer = 'hardly' and chance(seq, 'never') < 0.55 or chance(seq, 'never') < 0.003 as never,
        working_day(greatest(issued_on + 1, due_on + case payer
            when 'prompt' then whole(seq, 'delay', 11) - 8
            when 'normal' then whole(seq, 'delay', 24) - 3
            when 'late' then 25 + whole(seq, 'delay', 70)
            else 60 + whole(seq, 'delay', 120)
        end)) as willing_on,
        -- One debtor in four pays in runs, on the 10th and the 25th: one payment, several invoices.
        case
            when chance(issued.p, 'pays in runs') >= 0.25 then willing_on
            when day(willing_on) <= 10 then working_day(date_trunc('month', willing_on)::date + 9)
            when day(willing_on) <= 25 then working_day(date_trunc('month', willing_on)::date + 24)
            else working_day((date_trunc('month', willing_on) + interval 1 month)::date + 9)
        end as first_paid_on
    from issued
    inner join party using (p)
),

settled as (
    select
        habits.* exclude (willing_on),
        case when credit > 0 and credit_on <= first_paid_on then total - credit else total end::decimal(15, 2) as payable,
        case when in_parts then round(payable * 0.4, 2) else payable end::decimal(15, 2) as part_1,
        case when voided_on is null and not never then first_paid_on end as part_1_on,
        case when in_parts and part_1_on is not null and chance(seq, 'rest') < case payer when 'hardly' then 0.4 else 0.97 end
            then working_day(part_1_on + 20 + whole(seq, 'rest day', 30)) end as part_2_on
    from habits
)

select
    settled.* exclude (first_paid_on, never, payer),
    case when payable = 0 then credit_on when in_parts then part_2_on else part_1_on end as paid_on,
    case when payable <> total then credit_on when in_parts then part_1_on end as partial_on,
    case when voided_on is null and paid_on is null and due_on + 540 <= getvariable('end_day') then due_on + 540 end
        as written_off_on
from settled
order by seq;

create table allocation as
select seq, p, currency, part_1_on as paid_on, part_1 as amount
from invoice
where part_1 > 0 and part_1_on <= getvariable('end_day')
union all
select seq, p, currency, part_2_on as paid_on, (payable - part_1)::decimal(15, 2) as amount
from invoice
where part_2_on <= getvariable('end_day')
order by paid_on, p, seq;

create table payment as
select
    payment_code(p, currency, paid_on) as payment_id, p, currency, paid_on, false as is_refund,
    -- Now and then a debtor pays a round sum; the rest waits for the next invoice.
    case when chance(payment_id, 'round sum') < 0.015 then 100 else 0 end::decimal(15, 2) as unapplied,
    (sum(amount) + unapplied)::decimal(15, 2) as amount
from allocation
group by p, currency, paid_on
union all by name
-- Returned after it was paid: the money goes back.
select
    'TK' || lpad(seq::varchar, 8, '0') as payment_id, p, currency,
    working_day(credit_on + 3 + whole(seq, 'refund lag', 10)) as paid_on, true as is_refund, 0 as unapplied, -credit as amount
from invoice
where credit > 0 and payable = total and part_1_on < credit_on and chance(seq, 'refund') < 0.6
    and credit_on + 20 <= getvariable('end_day')
order by paid_on, payment_id;

-- The central rate moves slowly; there is none at the weekend.
create table fx_rate as
select
    currency as from_currency,
    rate_day::date as rate_date,
    case currency
        when 'USD' then 7.19 + 0.055 * sin(age / 110.0) + 0.025 * sin(age / 23.0) + 0.006 * bell(age, 'usd')
        else 7.88 + 0.17 * sin(age / 120.0 + 1) + 0.06 * sin(age / 29.0) + 0.008 * bell(age, 'eur')
    end::decimal(9, 4) as rate
from (select unnest(generate_series(date '2022-12-26', getvariable('end_day'), interval 1 day)) as rate_day),
    (values ('USD'), ('EUR')) as currencies (currency),
    lateral (select rate_day::date - date '2022-12-26' as age)
where isodow(rate_day) < 6
order by rate_date, from_currency;
