-- The demo company as Zoho CRM exports it: lookups as ids, times with an offset, per cent, closed told by the stage
-- alone.
create view crm."Accounts" as
select
    told_for, told_at, account_id as id, account_name as "Account_Name",
    map {
        'company': 'Customer', 'person': 'Individual', 'distributor': 'Distributor', 'internal': 'Internal'
    }[account_kind] as "Account_Type",
    parent_account_id as "Parent_Account", owner_id as "Owner", with_offset(created_at) as "Created_Time",
    industry_code as "Industry", employee_count as "Employees", country as "Billing_Country", region as "Billing_State",
    city as "Billing_City", tax_id as "Tax_ID"
from told.crm_account;

create view crm."Contacts" as
select
    told_for, told_at, contact_id as id, account_id as "Account_Name", given_name(full_name) as "First_Name",
    family_name(full_name) as "Last_Name", email as "Email", phone as "Phone", role as "Title"
from told.crm_contact;

create view crm."Deals" as
select
    told_for, told_at, opportunity_id as id, account_id as "Account_Name",
    map {
        'lead': 'Qualification', 'qualified': 'Needs Analysis', 'proposal': 'Proposal/Price Quote',
        'negotiation': 'Negotiation/Review', 'won': 'Closed Won', 'lost': 'Closed Lost'
    }[stage] as "Stage",
    amount as "Amount", currency as "Currency", probability * 100 as "Probability",
    with_offset(created_at) as "Created_Time",
    close_date as "Closing_Date", lost_reason as "Reason_For_Loss__s"
from told.crm_opportunity;

create view crm."Activities" as
with done as (
    select
        told_for, told_at, activity_id as id, account_id as "What_Id", contact_id as "Who_Id",
        map {
            'call': 'Calls', 'meeting': 'Events', 'visit': 'Visits', 'mail': 'Emails', 'chat': 'Messages'
        }[kind] as "Activity_Type",
        map {'in': 'Inbound', 'out': 'Outbound'}[direction] as "Call_Type",
        case when kind = 'call' then with_offset(occurred_at) end as "Call_Start_Time",
        case when kind <> 'call' then with_offset(occurred_at) end as "Start_DateTime",
        owner_id as "Owner", 'Completed' as "Status"
    from told.crm_activity
)
from done
union all by name
select * replace ('T' || id as id, 'Deferred' as "Status") from done where id like '%7';
