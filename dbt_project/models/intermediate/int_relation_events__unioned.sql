{#- What happened between an account and the house beside trade, in one shape, as int_account_events__unioned has trade: an
    event counts from event_date on and leaves a window when window_date does. Service, surveys and marketing say
    whose code they use. Only what was known or taken back since the ledger was built. -#}
{{ config(materialized='view') }}

select
    source_system, account_id as source_id, business_date as event_date, business_date as window_date, known_from, known_to,
    {{ event_measures({'inbound_contact_count': 1}, 'relation') }}
from {{ changed_rows('known_at', ref('stg_crm__activities')) }} as activities
where direction = 'in'

union all

select
    customer_system as source_system, customer_ref as source_id, business_date as event_date, business_date as window_date,
    known_from, known_to,
    {{ event_measures({
        'inbound_contact_count': 1,
        'feedback_count': "case when kind in ('complaint', 'suggestion') then 1 else 0 end",
        'complaint_count': "case when kind = 'complaint' then 1 else 0 end",
        'suggestion_count': "case when kind = 'suggestion' then 1 else 0 end",
        'quality_case_count': "case when kind in ('complaint', 'return') then 1 else 0 end",
    }, 'relation') }}
from {{ changed_rows('known_at', ref('stg_service__cases')) }} as cases

union all

select
    customer_system as source_system, customer_ref as source_id, business_date as event_date, business_date as window_date,
    known_from, known_to,
    {{ event_measures({'survey_asked_count': 1}, 'relation') }}
from {{ changed_rows('known_at', ref('stg_survey__responses')) }} as asked

union all

select
    customer_system as source_system, customer_ref as source_id,
    greatest(business_date, {{ utc_date('answered_at') }}) as event_date, business_date as window_date, known_from, known_to,
    {{ event_measures({
        'feedback_count': 1,
        'survey_answer_count': 1,
        'nps_answer_count': "case when metric = 'nps' and scale_max > scale_min then 1 else 0 end",
        'nps_score_total': "case when metric = 'nps' and scale_max > scale_min then " ~ share_of_scale() ~ " else 0 end",
        'csat_answer_count': "case when metric = 'csat' and scale_max > scale_min then 1 else 0 end",
        'csat_score_total': "case when metric = 'csat' and scale_max > scale_min then " ~ share_of_scale() ~ " else 0 end",
    }, 'relation') }}
from {{ changed_rows('known_at', ref('stg_survey__responses')) }} as answered
where answered_at is not null
    and score is not null

union all

select
    customer_system as source_system, customer_ref as source_id, business_date as event_date, business_date as window_date,
    known_from, known_to,
    {{ event_measures({
        'touch_count': 1,
        'touch_response_count': "case when coalesce(is_clicked, false) or coalesce(is_converted, false) then 1 else 0 end",
    }, 'relation') }}
from {{ changed_rows('known_at', ref('stg_marketing__touches')) }} as touches
where not coalesce(is_holdout, false)
    and coalesce(is_delivered, true)

union all

select
    customer_system as source_system, customer_ref as source_id, business_date as event_date, business_date as window_date,
    known_from, known_to,
    {{ event_measures({'event_attendance_count': 1}, 'relation') }}
from {{ changed_rows('known_at', ref('stg_marketing__events')) }} as events
where is_attended

union all

select
    source_system, customer_ref as source_id, end_date as event_date, end_date as window_date, known_from, known_to,
    {{ event_measures({
        'expired_contract_count': 1,
        'renewed_contract_count': "case when renewed_by_contract_id is null then 0 else 1 end",
    }, 'relation') }}
from {{ changed_rows('known_at', ref('stg_sales__contracts')) }} as contracts
where end_date is not null

union all

select
    source_system, account_id as source_id, coalesce(close_date, business_date) as event_date,
    coalesce(close_date, business_date) as window_date, known_from, known_to,
    {{ event_measures({
        'lost_opportunity_count': 1,
        'competitor_loss_count': "case when lost_to_competitor is null then 0 else 1 end",
    }, 'relation') }}
from {{ changed_rows('known_at', ref('stg_crm__opportunities')) }} as opportunities
where is_closed
    and not is_won

union all

select
    source_system, customer_ref as source_id, event_date, event_date as window_date, known_from, known_to,
    {{ event_measures({
        'writeoff_amount': "case when kind = 'writeoff' then amount else 0 end",
        'service_cost_amount': "case when kind = 'service_cost' then amount else 0 end",
    }, 'relation') }}
from {{ changed_rows('known_at', ref('int_costs__converted')) }} as costs
where uncounted_reason is null
