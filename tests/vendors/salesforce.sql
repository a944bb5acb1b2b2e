-- The demo company as Salesforce exports it: API names, times in UTC ending in Z, per cent, tasks still to be done.
create macro account_type(kind) as
    map {
        'company': 'Customer - Direct', 'person': 'Person Account', 'distributor': 'Channel Partner / Reseller',
        'internal': 'Internal'
    }[kind];

create view crm."Account" as
select
    told_for, told_at, account_id as "Id", account_name as "Name", account_type(account_kind) as "Type",
    parent_account_id as "ParentId", owner_id as "OwnerId", utc_z(created_at) as "CreatedDate",
    industry_code as "Industry",
    employee_count as "NumberOfEmployees", country as "BillingCountryCode", region as "BillingState",
    city as "BillingCity",
    tax_id as "Tax_Id__c", is_deleted as "IsDeleted"
from told.crm_account;

create view crm."User" as
select told_for, told_at, owner_id as "Id", owner_name as "Name", team_id as "UserRoleId", active as "IsActive"
from told.crm_owner;

create view crm."Contact" as
select
    told_for, told_at, contact_id as "Id", account_id as "AccountId", full_name as "Name", email as "Email",
    phone as "Phone", role as "Title", is_deleted as "IsDeleted"
from told.crm_contact;

create view crm."Opportunity" as
select
    told_for, told_at, opportunity_id as "Id", account_id as "AccountId",
    map {
        'lead': 'Prospecting', 'qualified': 'Qualification', 'proposal': 'Proposal/Price Quote',
        'negotiation': 'Negotiation/Review', 'won': 'Closed Won', 'lost': 'Closed Lost'
    }[stage] as "StageName",
    is_won as "IsWon", is_closed as "IsClosed", amount as "Amount", currency as "CurrencyIsoCode",
    probability * 100 as "Probability",
    utc_z(created_at) as "CreatedDate", close_date as "CloseDate", is_deleted as "IsDeleted"
from told.crm_opportunity;

create view crm."Task" as
with done as (
    select
        told_for, told_at, activity_id as "Id", account_id as "AccountId", contact_id as "WhoId",
        map {'call': 'Call', 'mail': 'Email', 'meeting': 'Meeting', 'visit': 'Visit', 'chat': 'Chat'}[kind] as "Type",
        map {'in': 'Inbound', 'out': 'Outbound'}[direction] as "CallType", utc_z(occurred_at) as "CompletedDateTime",
        owner_id as "OwnerId", 'Completed' as "Status", is_deleted as "IsDeleted"
    from told.crm_activity
)
from done
union all by name
select * replace ('T' || "Id" as "Id", 'Not Started' as "Status", null as "CompletedDateTime") from done
where "Id" like '%7';

create view sales."Order" as
with sold as (
    select
        told_for, told_at, order_id as "Id", customer_ref as "AccountId", utc_z(ordered_at) as "CreatedDate",
        map {
            'draft': 'Draft', 'open': 'In Approval', 'confirmed': 'Activated', 'fulfilled': 'Fulfilled',
            'cancelled': 'Cancelled'
        }[status] as "Status",
        channel as "Type", currency as "CurrencyIsoCode", false as "IsReductionOrder", is_deleted as "IsDeleted"
    from told.sales_order where status <> 'test'
)
from sold
union all by name
select * replace ('R' || "Id" as "Id", true as "IsReductionOrder") from sold where "Id" like '%7';

create view sales."OrderItem" as
select
    told_for, told_at, line_id as "Id", order_id as "OrderId", product_id as "Product2Id", quantity as "Quantity",
    price(gross_amount, quantity) as "ListPrice", net_amount as "TotalPrice", cost_amount as "Cost__c",
    is_deleted as "IsDeleted"
from told.sales_order_line;
