{#- What a lens may measure: numeric columns of customer_indicators, and those of customer_scores with their horizon, as in
    inactive_probability_90d. A lens names one of them in policy_lenses, and needs no SQL of its own. -#}
{% macro cut_indicators() %}
    {{ return([
        'recency_days', 'tenure_days', 'days_since_contact', 'order_count_365d', 'contact_count_90d', 'contact_count_365d',
        'net_amount_90d', 'net_amount_365d', 'net_amount_730d', 'margin_amount_365d', 'average_order_amount_365d',
        'return_rate_365d', 'discount_rate_365d', 'collection_rate_730d', 'late_payment_rate_365d', 'overdue_amount',
        'pipeline_amount',
    ]) }}
{% endmacro %}

{% macro indicator_value(relation, name_column) -%}
case {{ name_column }}
    {%- for indicator in cut_indicators() %}
        when '{{ indicator }}' then cast({{ relation }}.{{ indicator }} as decimal(28, 6))
    {%- endfor %}
    end
{%- endmacro %}

{% macro cut_scores() %}
    {{ return(['inactive_probability', 'expected_purchases', 'expected_net_amount', 'potential_margin_amount']) }}
{% endmacro %}

{#- The score that a name with a horizon means, of a row of that horizon; null for any other name. -#}
{% macro score_value(relation, name_column) -%}
case {{ name_column }}
    {%- for score in cut_scores() %}
        when '{{ score }}_' || cast({{ relation }}.horizon_days as varchar) || 'd' then cast({{ relation }}.{{ score }} as decimal(28, 6))
    {%- endfor %}
    end
{%- endmacro %}
