-- The demo company as 金蝶云星空 exports it: local times, codes for states, bills that were never audited, positive returns.
create macro customer_type(kind) as map {
    'company': 'KHLB001_SYS', 'person': 'KHLB002_SYS', 'distributor': 'KHLB003_SYS', 'internal': 'KHLB004_SYS'
}[kind];

create view sales."BD_Customer" as
with audited as (
    select
        told_for, told_at, customer_ref as "FNumber", customer_name as "FName", customer_type(kind) as "FCustTypeId",
        tax_id as "FTAXREGISTERCODE", country as "FCOUNTRY", crm_account_ref as "F_CRM_ACCOUNT",
        local_time(created_at) as "FCreateDate", 'C' as "FDocumentStatus"
    from told.sales_customer
)
from audited
union all by name
select * replace ('A' || "FNumber" as "FNumber", 'A' as "FDocumentStatus") from audited where "FNumber" like '%7';

create view sales."SAL_SaleOrder" as
select
    told_for, told_at, order_id as "FBillNo", customer_ref as "FCustId", local_time(ordered_at) as "FDate",
    case status when 'draft' then 'Z' when 'open' then 'D' else 'C' end as "FDocumentStatus",
    case when status = 'cancelled' then 'B' else 'A' end as "FCancelStatus",
    case when status = 'fulfilled' then 'B' else 'A' end as "FCloseStatus",
    channel as "FSaleGroupId", entity_id as "FSaleOrgId", currency as "FSettleCurrId"
from told.sales_order where status <> 'test';

create view sales."SAL_SaleOrder_entry" as
with audited as (
    select
        told_for, told_at, line_id as "FSaleOrderEntry_FEntryID", order_id as "FBillNo", product_id as "FMaterialId",
        quantity as "FQty", discount_amount as "FDiscount", net_amount as "FEntryAmount",
        tax_amount as "FEntryTaxAmount",
        cost_amount as "F_COST_AMOUNT", 'C' as "FDocumentStatus"
    from told.sales_order_line
)
from audited
union all by name
select * replace ('A' || "FSaleOrderEntry_FEntryID" as "FSaleOrderEntry_FEntryID", 'B' as "FDocumentStatus")
from audited
where "FSaleOrderEntry_FEntryID" like '%7-1';

create view sales."SAL_RETURNSTOCK" as
with audited as (
    select
        told_for, told_at, return_line_id as "FEntity_FEntryID", original_line_id as "FSOEntryId",
        customer_ref as "FRetcustId", local_time(returned_at) as "FDate", -quantity as "FRealQty",
        -net_amount as "FAmount",
        -cost_amount as "FEntryCostAmount", currency as "FSettleCurrId", reason as "FReturnReason",
        'C' as "FDocumentStatus",
        'A' as "FCancelStatus"
    from told.sales_return_line
)
from audited
union all by name
select * replace ('A' || "FEntity_FEntryID" as "FEntity_FEntryID", 'A' as "FDocumentStatus") from audited
where "FEntity_FEntryID" like '%7-1';

create view sales."BD_MATERIAL" as
with audited as (
    select
        told_for, told_at, product_id as "FNUMBER", product_name as "FName", category_l1 as "FMaterialGroup",
        uom as "FBaseUnitId", case when active then 'A' else 'B' end as "FForbidStatus", 'C' as "FDocumentStatus"
    from told.sales_product
)
from audited
union all by name
select * replace ('A' || "FNUMBER" as "FNUMBER", 'A' as "FDocumentStatus") from audited where "FNUMBER" like '%7';

create view finance."BD_Customer" as
with audited as (
    select
        told_for, told_at, customer_ref as "FNumber", customer_name as "FName", customer_type(kind) as "FCustTypeId",
        tax_id as "FTAXREGISTERCODE", country as "FCOUNTRY", sales_customer_ref as "F_SALES_CUSTOMER",
        currency as "FTRADINGCURRID", 'C' as "FDocumentStatus"
    from told.finance_customer
)
from audited
union all by name
select * replace ('A' || "FNumber" as "FNumber", 'A' as "FDocumentStatus") from audited where "FNumber" like '%7';

create view finance."AR_receivable" as
with audited as (
    select
        told_for, told_at, invoice_id as "FBillNo", customer_ref as "FCUSTOMERID", order_id as "FORDERNUMBER",
        local_day(issued_date) as "FDATE", local_day(due_date) as "FENDDATE_H", currency as "FCURRENCYID",
        total_amount as "FALLAMOUNTFOR", tax_amount as "FTAXAMOUNTFOR", 'C' as "FDocumentStatus",
        case when status = 'void' then 'B' else 'A' end as "FCancelStatus",
        case status when 'paid' then 'C' when 'partial' then 'B' else 'A' end as "FWRITTENOFFSTATUS",
        is_opening_balance as "FISINIT"
    from told.finance_invoice
)
from audited
union all by name
select * replace ('A' || "FBillNo" as "FBillNo", 'B' as "FDocumentStatus") from audited where "FBillNo" like '%7';

create view finance."AR_RECEIVEBILL" as
with audited as (
    select
        told_for, told_at, payment_id as "FBillNo", customer_ref as "FCONTACTUNIT", local_day(received_date) as "FDATE",
        amount as "FRECTOTALAMOUNTFOR", currency as "FCURRENCYID", method as "FSETTLETYPEID", 'C' as "FDocumentStatus",
        'A' as "FCancelStatus"
    from told.finance_payment
)
from audited
union all by name
select * replace ('A' || "FBillNo" as "FBillNo", 'A' as "FDocumentStatus") from audited where "FBillNo" like '%7C';

create view finance."AR_receivable_red" as
with audited as (
    select
        told_for, told_at, note_id as "FBillNo", customer_ref as "FCUSTOMERID", invoice_id as "FSRCBILLNO",
        local_day(issued_date) as "FDATE",
        currency as "FCURRENCYID", amount as "FALLAMOUNTFOR", reason as "FREMARK", 'C' as "FDocumentStatus",
        'A' as "FCancelStatus"
    from told.finance_credit_note
)
from audited
union all by name
select * replace ('A' || "FBillNo" as "FBillNo", 'B' as "FDocumentStatus") from audited where "FBillNo" like '%7';

create view finance."AR_RECEIVEBILL_source" as
with audited as (
    select
        told_for, told_at, payment_id as "FBillNo", invoice_id as "FSRCBILLNO", amount as "FREALRECAMOUNTFOR",
        local_day(applied_date) as "FDATE", 'C' as "FDocumentStatus", 'A' as "FCancelStatus"
    from told.finance_payment_allocation
)
from audited
union all by name
select * replace ('A' || "FBillNo" as "FBillNo", 'A' as "FDocumentStatus") from audited where "FSRCBILLNO" like '%7';
