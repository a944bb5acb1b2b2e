{#- The features of one customer as aggregates over its days of trade before a cut-off, in two parts: what stays as it is
    until the customer trades again, and what grows old by itself. A purchase day is a day with a counted order; returns
    lower the net amount on the day they come. The costed part is what has a known cost. -#}
{% macro purchase_features(trade) -%}
{%- set purchase_days = 'sum(case when ' ~ trade ~ '.order_count > 0 then 1 else 0 end)' -%}
{%- set bought_on = 'case when ' ~ trade ~ '.order_count > 0 then ' ~ trade ~ '.event_date end' -%}
cast({{ purchase_days }} as bigint) as purchase_days,
    min({{ bought_on }}) as first_purchase_date,
    max({{ bought_on }}) as last_purchase_date,
    {{ money('sum(' ~ trade ~ '.net_amount)') }} as net_amount,
    {{ money_quotient('sum(' ~ trade ~ '.net_amount)', purchase_days) }} as mean_day_amount,
    {{ money_quotient(newest_sum(trade ~ '.net_amount', bought_on, 3), 'least(' ~ purchase_days ~ ', 3)') }}
        as newest_days_amount,
    {{ money('sum(' ~ trade ~ '.margin_amount)') }} as margin_amount,
    {{ money('sum(' ~ trade ~ '.costed_net_amount)') }} as costed_net_amount
{%- endmacro %}

{#- Trailing windows of days that end with the last before the cut-off, of trade before the cut-off. -#}
{% macro recent_features(trade, cutoff) -%}
{%- for days in [28, 91] -%}
{%- set within = trade ~ '.event_date >= ' ~ add_days(cutoff, -days) -%}
cast(sum(case when {{ within }} and {{ trade }}.order_count > 0 then 1 else 0 end) as bigint) as purchase_days_{{ days }}d,
    {{ money('sum(case when ' ~ within ~ ' then ' ~ trade ~ '.net_amount else 0 end)') }} as net_amount_{{ days }}d
    {%- if not loop.last %},
    {% endif %}
{%- endfor -%}
{%- endmacro %}

{#- The first purchase from the cut-off on, of trade before it, each day of which has the ``next_purchase_date`` after itself:
    the latest of them, unless that is before the cut-off, too. What a model may learn, never what it may read. -#}
{% macro next_purchase(trade, cutoff) -%}
case when max({{ trade }}.next_purchase_date) >= {{ cutoff }} then max({{ trade }}.next_purchase_date) end as next_purchase_date
{%- endmacro %}

{#- Of a day of trade, the first purchase after it among those in the window. -#}
{% macro purchase_after(trade, within) -%}
min(case when {{ trade }}.order_count > 0 then {{ trade }}.event_date end) over (
    partition by {{ within }} order by {{ trade }}.event_date rows between 1 following and unbounded following
) as next_purchase_date
{%- endmacro %}

{#- Whether the widest of those windows sees a day of trade. -#}
{% macro is_recent(trade, cutoff) -%}{{ trade }}.event_date >= {{ add_days(cutoff, -91) }}{%- endmacro %}
