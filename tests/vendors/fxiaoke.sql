-- The demo company as 纷享销客 exports it: every time in milliseconds, numbered choices, records that wait for approval,
-- deleted flags.
create macro account_type(kind) as map {'company': '1', 'person': '2', 'distributor': '3', 'internal': '4'}[kind];

create view crm."AccountObj" as
with facts as (
    select
        told_for, told_at, account_id as _id, account_name as name, account_type(account_kind) as account_type,
        parent_account_id, owner_id as owner, epoch_ms(created_at) as create_time, industry_code as industry_level1,
        employee_count as field_employees__c, country, region as area, city, tax_id as field_tax_id__c,
        'normal' as life_status
    from told.crm_account
)
from facts
union all by name
select * replace ('W' || _id as _id, 'ineffective' as life_status) from facts where _id like '%7';

create view crm."ContactObj" as
with facts as (
    select
        told_for, told_at, contact_id as _id, account_id, full_name as name, email, phone as mobile1, role as job_title,
        'normal' as life_status
    from told.crm_contact
)
from facts
union all by name
select * replace ('W' || _id as _id, 'under_review' as life_status) from facts where _id like '%11';

create view crm."NewOpportunityObj" as
with facts as (
    select
        told_for, told_at, opportunity_id as _id, account_id,
        map {
            'lead': '验证客户', 'qualified': '需求确定', 'proposal': '方案/报价', 'negotiation': '谈判审核', 'won': '赢单', 'lost': '输单'
        }[stage] as sales_stage,
        case when is_won then '2' when is_closed then '3' else '1' end as sales_status,
        amount, currency as mc_currency, probability * 100 as probability, epoch_ms(created_at) as create_time,
        day_ms(close_date) as close_date, lost_reason, 'normal' as life_status
    from told.crm_opportunity
)
from facts
union all by name
select * replace ('W' || _id as _id, 'under_review' as life_status) from facts where _id like '%7';

create view crm."ActiveRecordObj" as
select
    told_for, told_at, activity_id as _id, account_id as related_account, contact_id as related_contact,
    map {'call': '电话', 'visit': '拜访', 'meeting': '会议', 'mail': '邮件', 'chat': '微信'}[kind] as active_record_type,
    map {'in': '客户', 'out': '我方'}[direction] as field_direction__c, epoch_ms(occurred_at) as create_time,
    owner_id as owner,
    is_deleted
from told.crm_activity;

create view sales."SalesOrderObj" as
with facts as (
    select
        told_for, told_at, order_id as _id, customer_ref as account_id, epoch_ms(ordered_at) as order_time,
        map {'draft': '9', 'open': '6', 'confirmed': '7', 'fulfilled': '11', 'cancelled': '99'}[status] as order_status,
        channel as field_channel__c, currency as mc_currency, day_ms(promised_date) as delivery_date,
        'normal' as life_status
    from told.sales_order where status <> 'test'
)
from facts
union all by name
select * replace ('W' || _id as _id, 'under_review' as life_status) from facts where _id like '%7';

create view sales."SalesOrderProductObj" as
select
    told_for, told_at, line_id as _id, order_id, product_id, quantity, price(gross_amount, quantity) as product_price,
    net_amount as subtotal, cost_amount as field_cost__c, is_deleted
from told.sales_order_line;

create view sales."ReturnedGoodsInvoiceProductObj" as
with facts as (
    select
        told_for, told_at, return_line_id as _id, original_line_id as order_product_id, customer_ref as account_id,
        epoch_ms(returned_at) as returned_goods_time, -quantity as quantity, -net_amount as subtotal,
        -cost_amount as field_cost__c, currency as mc_currency, reason as returned_goods_reason, 'normal' as life_status
    from told.sales_return_line
)
from facts
union all by name
select * replace ('W' || _id as _id, 'ineffective' as life_status) from facts where _id like '%7-1';
