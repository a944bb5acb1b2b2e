-- The demo company as QuickBooks Online exports it: days without a time, positive credit memos, lines that settle
-- credit memos.
create view finance.customer as
select
    told_for, told_at, customer_ref as id, case when kind <> 'person' then customer_name end as company_name,
    customer_name as display_name,
    map {
        'company': 'Company', 'person': 'Person', 'distributor': 'Distributor', 'internal': 'Intercompany'
    }[kind] as customer_type,
    tax_id as custom_tax_id, country as bill_address_country, sales_customer_ref as custom_sales_customer,
    payment_terms_days as due_days, currency as currency_id
from told.finance_customer;

create view finance.invoice as
select
    told_for, told_at, invoice_id as id, customer_ref as customer_id, issued_date as transaction_date, due_date,
    currency as currency_id, total_amount, tax_amount as total_tax,
    map {
        'open': 'Open', 'partial': 'Partially paid', 'paid': 'Paid', 'void': 'Voided', 'written_off': 'Bad debt'
    }[status] as status,
    is_deleted as _fivetran_deleted
from told.finance_invoice;

create view finance.credit_memo as
select
    told_for, told_at, note_id as id, customer_ref as customer_id, invoice_id as custom_invoice_id,
    issued_date as transaction_date,
    currency as currency_id, -amount as total_amount, reason as private_note, is_deleted as _fivetran_deleted
from told.finance_credit_note;

create view finance.payment as
select
    told_for, told_at, payment_id as id, customer_ref as customer_id, received_date as transaction_date,
    amount as total_amount, currency as currency_id, method as payment_method, unapplied_amount,
    is_deleted as _fivetran_deleted
from told.finance_payment;

create view finance.payment_line as
with settled as (
    select
        told_for, told_at, payment_id, invoice_id, null as credit_memo_id, amount, applied_date as transaction_date
    from told.finance_payment_allocation
)
from settled
union all by name
select * replace (null as invoice_id, 'M' || invoice_id as credit_memo_id) from settled where invoice_id like '%7';
