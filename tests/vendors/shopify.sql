-- The demo company as a shop of Shopify: times with the shop's offset, no single status, test orders, positive refunds.
create view sales.customer as
select
    told_for, told_at, customer_ref as id, given_name(customer_name) as first_name,
    family_name(customer_name) as last_name,
    kind as metafield_customer_kind, tax_id as metafield_tax_id, country as default_address_country_code,
    crm_account_ref as metafield_crm_account, with_offset(created_at) as created_at
from told.sales_customer;

create view sales."order" as
select
    told_for, told_at, order_id as id, customer_ref as customer_id, with_offset(ordered_at) as created_at,
    case when status = 'cancelled' then 'customer' end as cancel_reason,
    case when status = 'fulfilled' then 'fulfilled' end as fulfillment_status,
    case when status in ('confirmed', 'fulfilled') then 'paid' else 'pending' end as financial_status,
    channel as source_name, currency, status = 'test' as test, is_deleted as _fivetran_deleted
from told.sales_order where status <> 'draft';

create view sales.order_line as
select
    told_for, told_at, line_id as id, order_id, product_id, quantity, price(gross_amount, quantity) as price,
    discount_amount as total_discount, cost_amount as line_cost
from told.sales_order_line;

create view sales.refund_line as
select
    told_for, told_at, return_line_id as id, original_line_id as order_line_id, customer_ref as customer_id,
    with_offset(returned_at) as created_at, -quantity as quantity, -net_amount as subtotal, -cost_amount as line_cost,
    currency,
    reason as note
from told.sales_return_line;

create view sales.product as
select
    told_for, told_at, product_id as id, product_name as title, category_l1 as product_type, brand as vendor,
    case when active then 'active' else 'archived' end as status, is_deleted as _fivetran_deleted
from told.sales_product;
