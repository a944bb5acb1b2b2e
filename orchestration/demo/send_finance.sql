-- What finance exports. Everything in a workbook is text, so that codes keep their zeros, money its decimals and days their form.
create macro finance_customer(since_day, until_day) as table
select
    debtor_code(p) as debtor_no,
    case
        when kind <> 'company' or country <> 'CN' then full_name
        when chance(p, 'finance name') < 0.70 then full_name
        when chance(p, 'finance name') < 0.82 then replace(full_name, '有限公司', '有限责任公司')
        when chance(p, 'finance name') < 0.92 then full_name || ' '
        else brand || trade_word
    end as debtor_name,
    case kind when 'company' then 'ORG' when 'person' then 'IND' when 'distributor' then 'DIST' else 'IC' end as debtor_group,
    case
        when chance(p, 'tax id in finance') < 0.15 then lower(true_tax_id)
        when chance(p, 'tax id in finance') < 0.25 then left(true_tax_id, 8) || ' ' || substr(true_tax_id, 9)
        when chance(p, 'tax id in finance') < 0.80 then true_tax_id
    end as vat_no,
    country as country,
    case when chance(p, 'sales reference') < 0.80 then sales_code(p) end as erp_customer,
    terms_days::varchar as terms_days,
    (round(20000 * exp(size) * case when limit_on <= until_day then 0.6 + 1.2 * chance(p, 'new limit') else 1 end, -3) + 5000)
        ::decimal(18, 2)::varchar as credit_limit,
    currency as currency
from party
where in_finance and sales_on <= until_day and (within(sales_on, since_day, until_day) or within(limit_on, since_day, until_day))
order by debtor_no;

create macro finance_invoice(since_day, until_day) as table
select
    invoice_code(seq) as invoice_no,
    debtor_code(p) as debtor_no,
    case when not is_opening then order_code(seq) end as order_no,
    issued_on::varchar as invoice_date,
    due_on::varchar as due_date,
    currency as currency,
    total::varchar as gross_total,
    tax::varchar as vat_total,
    case
        when voided_on <= until_day then 'V'
        when paid_on <= until_day then 'C'
        when written_off_on <= until_day then 'W'
        when partial_on <= until_day then 'P'
        else 'O'
    end as state,
    case when is_opening then 'Y' else 'N' end as opening_item
from invoice
where issued_on <= until_day and (
    within(issued_on, since_day, until_day) or within(voided_on, since_day, until_day) or within(paid_on, since_day, until_day)
    or within(partial_on, since_day, until_day) or within(written_off_on, since_day, until_day))
order by invoice_no;

create macro finance_credit_note(since_day, until_day) as table
select
    'HZ' || lpad(seq::varchar, 8, '0') as note_no,
    debtor_code(p) as debtor_no,
    invoice_code(seq) as invoice_no,
    credit_on as note_date,
    currency,
    credit as amount,
    'goods returned' as reason
from invoice
where credit > 0 and within(credit_on, since_day, until_day)
order by note_no;

create macro finance_payment(since_day, until_day) as table
select
    payment_id as receipt_no,
    debtor_code(p) as debtor_no,
    paid_on as value_date,
    amount,
    currency,
    ['bank transfer', 'bank transfer', 'bank transfer', 'bill', 'cash', 'wechat pay'][1 + whole(p, 'method', 6)] as method,
    case when is_refund then 'Y' else 'N' end as refund,
    unapplied as unapplied
from payment
where within(paid_on, since_day, until_day)
order by receipt_no;

create macro finance_payment_allocation(since_day, until_day) as table
select
    payment_code(p, currency, paid_on) as receipt_no,
    invoice_code(seq) as invoice_no,
    amount,
    paid_on as applied_date
from allocation
where within(paid_on, since_day, until_day)
order by receipt_no, invoice_no;

create macro finance_fx_rate(since_day, until_day) as table
select
    from_currency,
    'CNY' as to_currency,
    rate_date,
    rate
from fx_rate
where within(rate_date, since_day, until_day)
order by rate_date, from_currency;

create macro finance_writeoff(since_day, until_day) as table
select
    invoice_code(seq) as invoice_no,
    written_off_on as writeoff_date,
    payable - case when part_1_on <= written_off_on then part_1 else 0 end as amount,
    currency
from invoice
where within(written_off_on, since_day, until_day)
order by invoice_no;

create macro finance_cost_to_serve(since_day, until_day) as table
select
    debtor_code(p) as debtor_no,
    period,
    cost_code as cost_kind,
    cost as amount,
    'CNY' as currency,
    case cost_code when 'FREIGHT' then 'per order' when 'FINANCE' then 'per overdue day' else 'per contact' end as shared_by
from serving
where within(booked_on, since_day, until_day)
order by period, debtor_no, cost_kind;

create macro finance_balance_daily(since_day, until_day) as table
select
    debtor_code(p) as debtor_no,
    day as balance_day,
    kind_code as product,
    balance,
    currency
from balance
where within(day, since_day, until_day)
order by balance_day, debtor_no, product;
