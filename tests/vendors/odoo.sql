-- The demo company as Odoo exports it: times in UTC without an offset, invoices and credit notes in one model,
-- sections among the lines.
create macro own_kind(kind) as case when kind in ('distributor', 'internal') then kind end;
create macro company_type(kind) as case when kind = 'person' then 'person' else 'company' end;

create view crm."res.partner" as
select
    told_for, told_at, account_id as id, account_name as name, own_kind(account_kind) as x_customer_kind,
    company_type(account_kind) as company_type, parent_account_id as parent_id, owner_id as user_id,
    utc_naive(created_at) as create_date, industry_code as industry_id, country as country_id, region as state_id,
    city, tax_id as vat
from told.crm_account;

create view crm."res.partner.person" as
with people as (
    select
        told_for, told_at, contact_id as id, account_id as commercial_partner_id, full_name as name, email, phone,
        role as function, 'contact' as type
    from told.crm_contact
)
from people
union all by name
select * replace ('A' || id as id, 'delivery' as type) from people where id like '%11';

create view crm."crm.lead" as
with opportunities as (
    select
        told_for, told_at, opportunity_id as id, account_id as partner_id,
        map {
            'lead': 'New', 'qualified': 'Qualified', 'proposal': 'Proposition', 'negotiation': 'Negotiation',
            'won': 'Won', 'lost': 'Lost'
        }[stage] as stage_id,
        case when is_won then 'won' when is_closed then 'lost' else 'pending' end as won_status,
        amount as expected_revenue,
        currency as company_currency, probability * 100 as probability, utc_naive(created_at) as create_date,
        close_date as date_deadline, lost_reason as lost_reason_id, 'opportunity' as type
    from told.crm_opportunity
)
from opportunities
union all by name
select * replace ('L' || id as id, 'lead' as type) from opportunities where id like '%7';

create view sales."res.partner" as
select
    told_for, told_at, customer_ref as id, customer_name as name, own_kind(kind) as x_customer_kind,
    company_type(kind) as company_type, tax_id as vat, country as country_id, crm_account_ref as x_crm_account,
    utc_naive(created_at) as create_date
from told.sales_customer;

create view sales."sale.order" as
select
    told_for, told_at, order_id as name, customer_ref as partner_id, utc_naive(ordered_at) as date_order,
    map {
        'draft': 'draft', 'open': 'sent', 'confirmed': 'sale', 'fulfilled': 'sale', 'cancelled': 'cancel'
    }[status] as state,
    map {'confirmed': 'pending', 'fulfilled': 'full'}[status] as delivery_status, channel as team_id,
    entity_id as company_id,
    currency as currency_id, utc_naive_day(promised_date) as commitment_date,
    utc_naive_day(delivered_date) as effective_date
from told.sales_order where status <> 'test';

create view sales."sale.order.line" as
with sold as (
    select
        told_for, told_at, line_id as id, order_id, product_id, quantity as product_uom_qty,
        price(gross_amount, quantity) as price_unit, net_amount as price_subtotal, tax_amount as price_tax,
        cost_amount as x_cost,
        null as display_type
    from told.sales_order_line
)
from sold
union all by name
select * replace ('S' || id as id, null as product_id, 0 as product_uom_qty, 'line_section' as display_type)
from sold where id like '%7-1';

create view sales."account.move.line" as
with returned as (
    select
        told_for, told_at, return_line_id as id, original_line_id as x_sale_line, customer_ref as partner_id,
        utc_naive(returned_at) as create_date, -quantity as quantity, -net_amount as price_subtotal,
        -cost_amount as x_cost,
        currency as currency_id, reason as ref, 'out_refund' as move_type, 'posted' as parent_state
    from told.sales_return_line
)
from returned
union all by name
select * replace ('D' || id as id, 'draft' as parent_state) from returned where id like '%7-1'
union all by name
select * replace ('I' || id as id, 'out_invoice' as move_type) from returned where id like '%7-2';

create view sales."product.template" as
select
    told_for, told_at, product_id as default_code, product_name as name, category_l1 as categ_id, uom as uom_id, active
from told.sales_product;

create view finance."res.partner" as
select
    told_for, told_at, customer_ref as id, customer_name as name, own_kind(kind) as x_customer_kind,
    company_type(kind) as company_type, tax_id as vat, country as country_id, sales_customer_ref as x_sales_customer,
    credit_limit,
    currency as x_currency
from told.finance_customer;

create view finance."account.move" as
with moves as (
    select
        told_for, told_at, invoice_id as name, customer_ref as commercial_partner_id, order_id as invoice_origin,
        null as reversed_entry_id, issued_date as invoice_date, due_date as invoice_date_due, currency as currency_id,
        total_amount as amount_total, tax_amount as amount_tax, null as ref, 'out_invoice' as move_type,
        case when status = 'void' then 'cancel' else 'posted' end as state,
        case status when 'paid' then 'paid' when 'partial' then 'partial' else 'not_paid' end as payment_state
    from told.finance_invoice
    union all by name
    select
        told_for, told_at, note_id as name, customer_ref as commercial_partner_id, invoice_id as reversed_entry_id,
        issued_date as invoice_date, currency as currency_id, -amount as amount_total, reason as ref,
        'out_refund' as move_type,
        'posted' as state, 'paid' as payment_state
    from told.finance_credit_note
)
from moves
union all by name
select * replace ('D' || name as name, 'draft' as state) from moves where name like '%7';

create view finance."account.payment" as
with posted as (
    select
        told_for, told_at, payment_id as name, customer_ref as partner_id, received_date as date,
        amount as amount_signed,
        currency as currency_id, method as payment_method_line_id,
        case when is_refund then 'outbound' else 'inbound' end as payment_type,
        'customer' as partner_type, 'posted' as state
    from told.finance_payment
)
from posted
union all by name
select * replace ('S' || name as name, 'supplier' as partner_type) from posted where name like '%7C';

create view finance."account.partial.reconcile" as
select
    told_for, told_at, payment_id as credit_move_name, invoice_id as debit_move_name, amount as debit_amount_currency,
    applied_date as max_date
from told.finance_payment_allocation;
