{#- What a lens may measure: numeric columns of customer_indicators, and those of customer_scores with their horizon, as in
    inactive_probability_90d. A lens names one of them in policy_lenses, and needs no SQL of its own. -#}
{% macro cut_indicators() %}
    {{ return([
        'recency_days',
        'tenure_days',
        'days_since_contact',
        'order_count_365d',
        'contact_count_90d',
        'contact_count_365d',
        'net_amount_90d',
        'net_amount_365d',
        'net_amount_730d',
        'margin_amount_365d',
        'average_order_amount_365d',
        'return_rate_365d',
        'discount_rate_365d',
        'collection_rate_730d',
        'late_payment_rate_365d',
        'overdue_amount',
        'pipeline_amount',
        'employee_count',
        'annual_revenue_amount',
        'credit_limit_amount',
        'influence_rating',
        'price_sensitivity_rating',
        'quality_demand_rating',
        'brand_preference_rating',
        'referred_customer_count',
        'industry_growth_rate',
        'yearly_growth_rate',
        'active_month_count_365d',
        'orders_per_active_month_365d',
        'margin_rate_365d',
        'service_cost_amount_365d',
        'writeoff_amount_365d',
        'net_contribution_amount_365d',
        'category_count_365d',
        'whitespace_category_count',
        'favourite_brand_rate_365d',
        'share_of_wallet_rate_365d',
        'discounted_share_rate_365d',
        'tenure_years',
        'purchase_gap_days_p50_730d',
        'purchase_gap_variation_730d',
        'consecutive_purchase_count',
        'purchase_stability_rate_365d',
        'trend_amount_365d',
        'recent_net_rate',
        'repeat_order_rate_365d',
        'days_to_pay_p50_730d',
        'days_to_pay_p90_730d',
        'max_days_to_pay_730d',
        'inbound_contact_count_90d',
        'campaign_response_rate_365d',
        'event_attendance_count_365d',
        'feedback_count_365d',
        'complaint_count_365d',
        'suggestion_count_365d',
        'complaint_rate_365d',
        'quality_case_count_365d',
        'renewal_rate_730d',
        'lost_opportunity_count_365d',
        'competitor_loss_count_365d',
        'nps_score_365d',
        'csat_score_365d',
        'survey_response_rate_365d',
    ]) }}
{% endmacro %}

{% macro cut_scores() %}
    {{ return([
        'inactive_probability',
        'expected_purchases',
        'expected_net_amount',
        'potential_margin_amount',
    ]) }}
{% endmacro %}

{#- Text and yes-or-no columns of customer_indicators that policy_labels may translate into bands. -#}
{% macro label_attributes() %}
    {{ return([
        'kind',
        'industry_code',
        'org_type',
        'region',
        'city_tier',
        'is_strategic',
        'favourite_category',
        'favourite_brand',
        'payment_method',
    ]) }}
{% endmacro %}

{#- The same of the lifecycle, the one evidence mart that lenses read like an indicator. -#}
{% macro lifecycle_attributes() %}
    {{ return([
        'relation',
    ]) }}
{% endmacro %}

{#- Figures and texts of persons: judged, but never shown. Only their bands reach a mart. -#}
{% macro private_figures() %}
    {{ return([
        'wealth_amount',
        'wealth_loan_amount',
        'product_count',
        'loan_count',
        'bank_profit_amount',
        'age_years',
    ]) }}
{% endmacro %}

{% macro private_attributes() %}
    {{ return([
        'has_loan',
        'household_stage',
        'income_band',
        'lifestyle',
        'profit_state',
        'profit_trend',
    ]) }}
{% endmacro %}

{#- The figures of RFM for each buyer, by name, so that of the indicators only those that a metric names are read. A select on the
    CTE metrics of customer_rfm. -#}
{% macro figures_of_metrics() %}
{%- for column in cut_indicators() %}
select
    indicators.as_of_date, indicators.customer_id, metrics.factor, metrics.sign,
    cast(indicators.{{ column }} as decimal(28, 6)) as figure
from {{ ref('customer_indicators') }} as indicators
inner join metrics on indicators.as_of_date = metrics.as_of_date
where metrics.indicator = '{{ column }}'
    and indicators.order_count_365d > 0
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endmacro %}
