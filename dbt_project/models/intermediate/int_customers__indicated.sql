{#- What is said and measured of every customer; customer_indicators tells it without the number. -#}
with population as (

    select as_of_date, customer_id, account_count, first_known_at from {{ ref('int_customers__population') }}

),

windowed as (

    select * from {{ ref('int_customers__windowed') }} where customer_id is not null

)

select
    population.as_of_date,
    numbered.customer_number,
    population.customer_id,
    population.account_count,
    dated.first_order_date,
    dated.last_order_date,
    dated.last_contact_date,
    {{ days_between('dated.last_order_date', 'population.as_of_date') }} as recency_days,
    {{ days_between('dated.first_order_date', 'population.as_of_date') }} as tenure_days,
    {{ days_between('dated.last_contact_date', 'population.as_of_date') }} as days_since_contact,
    coalesce(windowed.order_count_90d, 0) as order_count_90d,
    coalesce(windowed.order_count_365d, 0) as order_count_365d,
    coalesce(windowed.order_count_all, 0) as order_count_all,
    coalesce(windowed.contact_count_90d, 0) as contact_count_90d,
    coalesce(windowed.contact_count_365d, 0) as contact_count_365d,
    {{ money('coalesce(windowed.gross_amount_365d, 0)') }} as gross_amount_365d,
    {{ money('coalesce(windowed.discount_amount_365d, 0)') }} as discount_amount_365d,
    {{ money('coalesce(windowed.net_amount_90d, 0)') }} as net_amount_90d,
    {{ money('coalesce(windowed.net_amount_365d, 0)') }} as net_amount_365d,
    {{ money('coalesce(windowed.net_amount_730d, 0)') }} as net_amount_730d,
    {{ money('coalesce(windowed.net_amount_all, 0)') }} as net_amount_all,
    {{ money('coalesce(windowed.returned_amount_365d, 0)') }} as returned_amount_365d,
    {{ money('coalesce(windowed.margin_amount_365d, 0)') }} as margin_amount_365d,
    {{ money('coalesce(windowed.costless_amount_365d, 0)') }} as costless_amount_365d,
    {{ money_quotient('windowed.net_amount_365d', 'windowed.order_count_365d') }} as average_order_amount_365d,
    {{ rate_of('windowed.returned_amount_365d', 'windowed.net_amount_365d + windowed.returned_amount_365d') }}
        as return_rate_365d,
    {{ rate_of('windowed.discount_amount_365d', 'windowed.gross_amount_365d') }} as discount_rate_365d,
    {{ money('coalesce(windowed.due_amount_730d, 0)') }} as due_amount_730d,
    {{ money('coalesce(windowed.collected_amount_730d, 0)') }} as collected_amount_730d,
    {{ rate_of('windowed.collected_amount_730d', 'windowed.due_amount_730d') }} as collection_rate_730d,
    {{ rate_of('windowed.late_collected_amount_365d', 'windowed.collected_amount_365d') }} as late_payment_rate_365d,
    {{ money('coalesce(windowed.open_amount, 0)') }} as open_amount,
    {{ money('coalesce(windowed.overdue_amount, 0)') }} as overdue_amount,
    {{ delivered_or_unknown(money('coalesce(windowed.pipeline_amount, 0)'), ['crm_opportunity']) }} as pipeline_amount,
    profiled.kind,
    profiled.industry_code,
    profiled.org_type,
    profiled.region,
    profiled.city_tier,
    profiled.is_strategic,
    profiled.employee_count,
    profiled.annual_revenue_amount,
    profiled.credit_limit_amount,
    profiled.influence_rating,
    profiled.price_sensitivity_rating,
    profiled.quality_demand_rating,
    profiled.brand_preference_rating,
    profiled.referred_customer_count,
    profiled.industry_growth_rate,
    case
        when windowed.net_amount_730d > windowed.net_amount_365d then {{ rate_of(
            'windowed.net_amount_365d - (windowed.net_amount_730d - windowed.net_amount_365d)',
            'windowed.net_amount_730d - windowed.net_amount_365d',
        ) }}
    end as yearly_growth_rate,
    coalesce(paced.active_month_count_365d, 0) as active_month_count_365d,
    {{ rate_of('windowed.order_count_365d', 'paced.active_month_count_365d') }} as orders_per_active_month_365d,
    {{ rate_of('windowed.margin_amount_365d', 'windowed.net_amount_365d - windowed.costless_amount_365d') }}
        as margin_rate_365d,
    related.service_cost_amount_365d,
    related.writeoff_amount_365d,
    {{ money(
        'coalesce(windowed.margin_amount_365d, 0) - related.service_cost_amount_365d - related.writeoff_amount_365d'
    ) }} as net_contribution_amount_365d,
    {{ delivered_or_unknown('coalesce(assorted.category_count_365d, 0)', ['sales_product']) }} as category_count_365d,
    {{ delivered_or_unknown('coalesce(sold.category_count, 0) - coalesce(assorted.category_count_365d, 0)', ['sales_product']) }}
        as whitespace_category_count,
    assorted.favourite_category,
    assorted.favourite_brand,
    assorted.favourite_brand_rate_365d,
    {{ rate_of('windowed.net_amount_365d', 'profiled.annual_revenue_amount * policy.wallet_revenue_share') }}
        as share_of_wallet_rate_365d,
    {{ rate_of('windowed.discounted_gross_amount_365d', 'windowed.gross_amount_365d') }} as discounted_share_rate_365d,
    {{ whole_years('dated.first_order_date', 'population.as_of_date') }} as tenure_years,
    paced.purchase_gap_days_p50_730d,
    paced.purchase_gap_variation_730d,
    coalesce(paced.consecutive_purchase_count, 0) as consecutive_purchase_count,
    trended.purchase_stability_rate_365d,
    trended.trend_amount_365d,
    case when windowed.net_amount_365d > 0 then {{ rate_of('windowed.net_amount_90d', 'windowed.net_amount_365d') }} end
        as recent_net_rate,
    {{ rate_of('windowed.order_count_365d - 1', 'windowed.order_count_365d') }} as repeat_order_rate_365d,
    paid.payment_method,
    paid.days_to_pay_p50_730d,
    paid.days_to_pay_p90_730d,
    paid.max_days_to_pay_730d,
    related.inbound_contact_count_90d,
    related.campaign_response_rate_365d,
    related.event_attendance_count_365d,
    related.feedback_count_365d,
    related.complaint_count_365d,
    related.suggestion_count_365d,
    {{ rate_of('related.complaint_count_365d', 'windowed.order_count_365d') }} as complaint_rate_365d,
    related.quality_case_count_365d,
    related.renewal_rate_730d,
    related.lost_opportunity_count_365d,
    related.competitor_loss_count_365d,
    related.nps_score_365d,
    related.csat_score_365d,
    related.survey_response_rate_365d
from population
inner join {{ ref('int_customers__numbered') }} as numbered on population.customer_id = numbered.customer_id
left join windowed
    on population.customer_id = windowed.customer_id
    and windowed.valid_from <= population.as_of_date
    and windowed.valid_to > population.as_of_date
left join {{ ref('int_customers__dated') }} as dated
    on population.customer_id = dated.customer_id
    and dated.valid_from <= population.as_of_date
    and dated.valid_to > population.as_of_date
inner join {{ ref('int_policy__in_force') }} as policy on population.as_of_date = policy.as_of_date
inner join {{ ref('int_tables__delivered') }} as delivered on population.as_of_date = delivered.as_of_date
inner join {{ ref('int_customers__related') }} as related
    on population.as_of_date = related.as_of_date
    and population.customer_id = related.customer_id
left join {{ ref('int_customers__profiled') }} as profiled
    on population.as_of_date = profiled.as_of_date
    and population.customer_id = profiled.customer_id
left join {{ ref('int_categories__sold') }} as sold on population.as_of_date = sold.as_of_date
left join {{ ref('int_customers__assorted') }} as assorted
    on population.customer_id = assorted.customer_id
    and assorted.valid_from <= population.as_of_date
    and assorted.valid_to > population.as_of_date
left join {{ ref('int_customers__paced') }} as paced
    on population.customer_id = paced.customer_id
    and paced.valid_from <= population.as_of_date
    and paced.valid_to > population.as_of_date
left join {{ ref('int_customers__trended') }} as trended
    on population.as_of_date = trended.as_of_date
    and population.customer_id = trended.customer_id
left join {{ ref('int_customers__paid') }} as paid
    on population.as_of_date = paid.as_of_date
    and population.customer_id = paid.customer_id
