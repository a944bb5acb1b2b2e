-- The demo company as Zoho Books exports it: vendors among the contacts, drafts among the invoices, positive credit
-- notes.
create view finance.contacts as
with customers as (
    select
        told_for, told_at, customer_ref as contact_id, customer_name as contact_name, 'customer' as contact_type,
        case when kind in ('distributor', 'internal') then kind end as cf_customer_kind,
        case when kind = 'person' then 'individual' else 'business' end as customer_sub_type,
        tax_id as tax_reg_no, country as billing_country_code, sales_customer_ref as cf_sales_customer,
        payment_terms_days as payment_terms, credit_limit, currency as currency_code
    from told.finance_customer
)
from customers
union all by name
select * replace ('V' || contact_id as contact_id, 'vendor' as contact_type) from customers where contact_id like '%7';

create view finance.invoices as
with sent as (
    select
        told_for, told_at, invoice_id, customer_ref as customer_id, order_id as salesorder_id, issued_date as date,
        due_date,
        currency as currency_code, total_amount as total, tax_amount as tax_total,
        map {
            'open': 'overdue', 'partial': 'partially_paid', 'paid': 'paid', 'void': 'void', 'written_off': 'written_off'
        }[status] as status
    from told.finance_invoice
)
from sent
union all by name
select * replace ('D' || invoice_id as invoice_id, 'draft' as status) from sent where invoice_id like '%7';

create view finance.creditnotes as
with sent as (
    select
        told_for, told_at, note_id as creditnote_id, customer_ref as customer_id, invoice_id, issued_date as date,
        currency as currency_code, -amount as total, reason as notes, 'closed' as status
    from told.finance_credit_note
)
from sent
union all by name
select * replace ('D' || creditnote_id as creditnote_id, 'draft' as status) from sent where creditnote_id like '%7';

create view finance.customerpayments as
select
    told_for, told_at, payment_id, customer_ref as customer_id, received_date as date, amount,
    currency as currency_code, method as payment_mode, unapplied_amount as unused_amount
from told.finance_payment;

create view finance.customerpayment_invoices as
select told_for, told_at, payment_id, invoice_id, amount as amount_applied, applied_date as date
from told.finance_payment_allocation;

create view sales.salesorders as
select
    told_for, told_at, order_id as salesorder_id, customer_ref as customer_id, with_offset(ordered_at) as created_time,
    map {
        'draft': 'draft', 'open': 'open', 'confirmed': 'invoiced', 'fulfilled': 'closed', 'cancelled': 'void'
    }[status] as status,
    channel as cf_channel, currency as currency_code, promised_date as shipment_date
from told.sales_order where status <> 'test';

create view sales.salesorder_line_items as
select
    told_for, told_at, line_id as line_item_id, order_id as salesorder_id, product_id as item_id, quantity,
    discount_amount, net_amount as item_total, cost_amount as cf_cost
from told.sales_order_line;
