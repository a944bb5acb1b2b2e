{#- The indicators that a lens may be cut on: numeric columns of customer_indicators. A lens names one of them in
    policy_lenses, and needs no SQL of its own. -#}
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
