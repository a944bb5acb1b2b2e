{#- How customer and house deal with each other beside trade, on each as-of date. A count without rows is zero where
    somebody delivers the table, and unknown where nobody does. A view over the windows. -#}
{{ config(materialized='view') }}
with relation as (

    select * from {{ ref('int_customers__relation_windowed') }} where customer_id is not null

)

select
    population.as_of_date,
    population.customer_id,
    {{ delivered_or_unknown(money('coalesce(relation.service_cost_amount_365d, 0)'), ['finance_cost_to_serve']) }}
        as service_cost_amount_365d,
    {{ delivered_or_unknown(money('coalesce(relation.writeoff_amount_365d, 0)'), ['finance_writeoff']) }}
        as writeoff_amount_365d,
    {{ delivered_or_unknown('coalesce(relation.inbound_contact_count_90d, 0)', ['crm_activity', 'service_case'], 'or') }}
        as inbound_contact_count_90d,
    {{ rate_of('relation.touch_response_count_365d', 'relation.touch_count_365d') }} as campaign_response_rate_365d,
    {{ delivered_or_unknown('coalesce(relation.event_attendance_count_365d, 0)', ['marketing_event']) }}
        as event_attendance_count_365d,
    {{ delivered_or_unknown('coalesce(relation.feedback_count_365d, 0)', ['service_case', 'survey_response'], 'or') }}
        as feedback_count_365d,
    {{ delivered_or_unknown('coalesce(relation.complaint_count_365d, 0)', ['service_case']) }} as complaint_count_365d,
    {{ delivered_or_unknown('coalesce(relation.suggestion_count_365d, 0)', ['service_case']) }}
        as suggestion_count_365d,
    {{ delivered_or_unknown('coalesce(relation.quality_case_count_365d, 0)', ['service_case']) }}
        as quality_case_count_365d,
    {{ rate_of('relation.renewed_contract_count_730d', 'relation.expired_contract_count_730d') }} as renewal_rate_730d,
    {{ delivered_or_unknown('coalesce(relation.lost_opportunity_count_365d, 0)', ['crm_opportunity']) }}
        as lost_opportunity_count_365d,
    {{ delivered_or_unknown('coalesce(relation.competitor_loss_count_365d, 0)', ['crm_opportunity']) }}
        as competitor_loss_count_365d,
    {{ rate_of('relation.nps_score_total_365d * policy.nps_scale', 'relation.nps_answer_count_365d') }}
        as nps_score_365d,
    {{ rate_of('relation.csat_score_total_365d * policy.csat_scale', 'relation.csat_answer_count_365d') }}
        as csat_score_365d,
    {{ rate_of('relation.survey_answer_count_365d', 'relation.survey_asked_count_365d') }}
        as survey_response_rate_365d
from {{ ref('int_customers__population') }} as population
inner join {{ ref('int_policy__in_force') }} as policy on population.as_of_date = policy.as_of_date
inner join {{ ref('int_tables__delivered') }} as delivered on population.as_of_date = delivered.as_of_date
left join relation
    on population.customer_id = relation.customer_id
    and relation.valid_from <= population.as_of_date
    and relation.valid_to > population.as_of_date
