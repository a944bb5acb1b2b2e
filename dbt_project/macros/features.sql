{#- The features of one customer as aggregates over its days of trade before a cut-off. A purchase day is a day with a
    counted order; returns lower the net amount on the day they come. The costed part is what has a known cost. -#}
{% macro purchase_features(trade) -%}
{%- set purchase_days = 'sum(case when ' ~ trade ~ '.order_count > 0 then 1 else 0 end)' -%}
cast({{ purchase_days }} as bigint) as purchase_days,
    min(case when {{ trade }}.order_count > 0 then {{ trade }}.event_date end) as first_purchase_date,
    max(case when {{ trade }}.order_count > 0 then {{ trade }}.event_date end) as last_purchase_date,
    {{ money('sum(' ~ trade ~ '.net_amount)') }} as net_amount,
    {{ money_quotient('sum(' ~ trade ~ '.net_amount)', purchase_days) }} as mean_day_amount,
    {{ money('sum(' ~ trade ~ '.margin_amount)') }} as margin_amount,
    {{ money('sum(' ~ trade ~ '.costed_net_amount)') }} as costed_net_amount
{%- endmacro %}
