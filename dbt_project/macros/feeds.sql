{#- What the figures that lenses measure are counted from: figure → windowed measure of a ledger → whether more of it makes the
    figure larger (1), smaller (-1), or depends (0). A windowed measure that is a figure feeds itself. Of what stands here
    with nothing, and of what does not stand here, no ledger tells: it follows from records without a day. -#}
{% macro figure_feeds() -%}
{%- set trade = {'order_count_365d': 0, 'net_amount_365d': 0} -%}
{%- set feeds = {
    'recency_days': {'order_count_all': -1},
    'tenure_days': {'order_count_all': 0},
    'tenure_years': {'order_count_all': 0},
    'days_since_contact': {'contact_count_365d': -1},
    'average_order_amount_365d': {'net_amount_365d': 1, 'order_count_365d': -1},
    'return_rate_365d': {'returned_amount_365d': 1, 'net_amount_365d': -1},
    'discount_rate_365d': {'discount_amount_365d': 1, 'gross_amount_365d': 0},
    'discounted_share_rate_365d': {'discounted_gross_amount_365d': 1, 'gross_amount_365d': 0},
    'collection_rate_730d': {'collected_amount_730d': 0, 'due_amount_730d': 0},
    'late_payment_rate_365d': {'late_collected_amount_365d': 1, 'collected_amount_365d': 0},
    'days_to_pay_p50_730d': {'collected_amount_730d': 0, 'due_amount_730d': 0},
    'days_to_pay_p90_730d': {'collected_amount_730d': 0, 'due_amount_730d': 0},
    'max_days_to_pay_730d': {'collected_amount_730d': 0, 'due_amount_730d': 0},
    'yearly_growth_rate': {'net_amount_365d': 1, 'net_amount_730d': -1},
    'recent_net_rate': {'net_amount_90d': 1, 'net_amount_365d': 0},
    'share_of_wallet_rate_365d': {'net_amount_365d': 1},
    'margin_rate_365d': {'margin_amount_365d': 1, 'net_amount_365d': 0},
    'net_contribution_amount_365d': {
        'margin_amount_365d': 1, 'service_cost_amount_365d': -1, 'writeoff_amount_365d': -1,
    },
    'purchase_gap_days_p50_730d': {'order_count_365d': 0, 'net_amount_730d': 0},
    'purchase_gap_variation_730d': {'order_count_365d': 0, 'net_amount_730d': 0},
    'consecutive_purchase_count': {'order_count_all': 0},
    'complaint_rate_365d': {'complaint_count_365d': 1, 'order_count_365d': 0},
    'campaign_response_rate_365d': {'touch_response_count_365d': 1, 'touch_count_365d': 0},
    'renewal_rate_730d': {'renewed_contract_count_730d': 1, 'expired_contract_count_730d': 0},
    'nps_score_365d': {'nps_score_total_365d': 0, 'nps_answer_count_365d': 0},
    'csat_score_365d': {'csat_score_total_365d': 0, 'csat_answer_count_365d': 0},
    'survey_response_rate_365d': {'survey_answer_count_365d': 1, 'survey_asked_count_365d': 0},
    'relation': {'order_count_all': 0},
    'growth_rate': {'net_amount_365d': 0, 'net_amount_730d': 0, 'order_count_all': 0},
    'score': {'order_count_all': 0, 'net_amount_all': 0},
} -%}
{%- for figure in [
    'active_month_count_365d', 'orders_per_active_month_365d', 'category_count_365d', 'whitespace_category_count',
    'favourite_brand_rate_365d', 'purchase_stability_rate_365d', 'trend_amount_365d', 'repeat_order_rate_365d',
] -%}
{%- do feeds.update({figure: trade}) -%}
{%- endfor -%}
{%- for group in ['trade', 'relation'] -%}
{%- for name in windowed_names(group) -%}
{%- if name in cut_indicators() -%}{%- do feeds.update({name: {name: 1}}) -%}{%- endif -%}
{%- endfor -%}
{%- endfor -%}
{{ return(feeds) }}
{%- endmacro %}

{#- The windowed measures of a group, as columns are called. -#}
{% macro windowed_names(group) -%}
{%- set names = [] -%}
{%- for window, measures in windowed_measures(group).items() -%}
{%- for measure in measures -%}{%- do names.append(windowed_name(measure, window)) -%}{%- endfor -%}
{%- endfor -%}
{{ return(names) }}
{%- endmacro %}

{#- The column of a table of windowed measures that a text names; nothing where it is none of the group's. -#}
{% macro windowed_named(relation, name_column, group) -%}
case {{ name_column }}
    {%- for name in windowed_names(group) %}
        when '{{ name }}' then {{ relation }}.{{ name }}
    {%- endfor %}
    end
{%- endmacro %}

{#- The rows of the policy that define a lens, as texts: what they are called and where they come from is no part of it. -#}
{% macro lens_definitions() -%}
{%- for seed, lens, columns in [
    ('policy_lenses', 'lens', ['stage', 'method', 'indicator', 'fallback_band', 'fallback_score', 'on_missing']),
    ('policy_bands', 'lens', ['band', 'band_rank', 'lower_bound', 'upper_bound', 'score']),
    ('policy_labels', 'lens', ['label', 'band']),
    ('policy_matrices', 'lens', ['row_lens', 'row_band', 'column_lens', 'column_band', 'band']),
    ('policy_parts', 'lens', ['part', 'is_required']),
    ('policy_weights', 'target', ['factor', 'weight']),
    ('policy_rfm_metrics', "'rfm'", ['factor', 'indicator', 'is_less_better']),
    ('policy_rfm_segments', 'lens', [
        'segment', 'recency_from', 'recency_to', 'frequency_from', 'frequency_to', 'monetary_from', 'monetary_to',
    ]),
    ('policy_parameters', "'every'", ['parameter', 'value']),
    ('policy_windows', "'every'", ['window_name', 'window_days']),
    ('policy_order_statuses', "'every'", ['status', 'is_counted']),
] %}
select
    policy_version, {{ lens }} as lens, '{{ seed }}|' || {{ lens }}
    {%- for column in columns %} || '|' || coalesce(cast({{ column }} as varchar), ''){% endfor %} as definition
from {{ ref(seed) }}
{%- if seed == 'policy_parameters' %}
where parameter not like 'tier_%'
{%- endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}
