{#- The additive measures of an account, in one place: name → meaning. A measure is summed from events over a window;
    every event model yields all of its group through event_measures(), with nothing where it has nothing to say. Two groups,
    each with a ledger of its own, so that the rows of one are not as wide as both: trade is what is ordered, owed and
    in sight; relation is how the customer and the house deal with each other beside it, and what that costs. -#}
{% macro account_measures(group='trade') %}
    {{ return({
        'trade': {
            'order_count': 'Counted orders',
            'gross_amount': 'Counted lines before discounts',
            'discounted_gross_amount': 'The part of gross_amount whose lines have a discount',
            'discount_amount': 'Discounts on counted lines',
            'net_amount': 'Counted lines after discounts less returns by return date, ex tax',
            'returned_amount': 'Returns by return date, as a positive amount',
            'margin_amount': 'Margin of lines with a known cost, less the margin of their returns',
            'costless_amount': 'Net amount of lines whose cost is unknown',
            'due_amount': 'Invoices that have fallen due, tax included',
            'collected_amount': 'Payments allocated to invoices that have fallen due',
            'late_collected_amount': 'The part of collected_amount that came after the due date',
            'open_amount': 'Invoices less payments allocated and credit notes',
            'overdue_amount': 'Invoices past their due date less payments allocated',
            'pipeline_amount': 'Open opportunities',
            'contact_count': 'Contacts with the customer',
        },
        'relation': {
            'inbound_contact_count': 'Contacts that the customer began: in the CRM, and cases opened',
            'feedback_count': 'Complaints, suggestions and answered questions of surveys',
            'complaint_count': 'Complaints',
            'suggestion_count': 'Suggestions',
            'quality_case_count': 'Cases about a complaint or a return',
            'survey_asked_count': 'Questions of surveys asked',
            'survey_answer_count': 'Questions of surveys answered',
            'nps_answer_count': 'Answers to whether the customer would recommend the house',
            'nps_score_total': 'These answers, each as a share of its scale',
            'csat_answer_count': 'Answers to how satisfied the customer is',
            'csat_score_total': 'These answers, each as a share of its scale',
            'touch_count': 'Messages and offers of campaigns that reached the customer',
            'touch_response_count': 'Those that the customer followed or did as asked',
            'event_attendance_count': 'Events that the customer came to',
            'expired_contract_count': 'Contracts by their last day',
            'renewed_contract_count': 'Those that another contract follows',
            'lost_opportunity_count': 'Opportunities closed and not won',
            'competitor_loss_count': 'Those that a competitor won',
            'writeoff_amount': 'Invoices written off',
            'service_cost_amount': 'Cost of serving the customer, on the last day of its period',
        },
    }[group]) }}
{% endmacro %}

{#- All measures of a group as select columns: the given expressions, zero for the others. -#}
{% macro event_measures(given, group='trade') -%}
{%- for name in account_measures(group) %}
    {{ money(given.get(name, 0)) }} as {{ name }}{{ "," if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- All measures of a group with one template applied, e.g. 'sum({m}) as {m}'. -#}
{% macro each_measure(template, group='trade') -%}
{%- for name in account_measures(group) %}
    {{ template.replace('{m}', name) }}{{ "," if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Which measures are published over which of the policy's windows; 'all' comes last. -#}
{% macro windowed_measures(group='trade') %}
    {{ return({
        'trade': {
            '90d': ['order_count', 'net_amount', 'contact_count'],
            '365d': [
                'order_count', 'gross_amount', 'discounted_gross_amount', 'discount_amount', 'net_amount', 'returned_amount',
                'margin_amount', 'costless_amount', 'collected_amount', 'late_collected_amount', 'contact_count',
            ],
            '730d': ['net_amount', 'due_amount', 'collected_amount'],
            'all': ['order_count', 'net_amount', 'open_amount', 'overdue_amount', 'pipeline_amount'],
        },
        'relation': {
            '90d': ['inbound_contact_count'],
            '365d': [
                'feedback_count', 'complaint_count', 'suggestion_count', 'quality_case_count', 'survey_asked_count',
                'survey_answer_count', 'nps_answer_count', 'nps_score_total', 'csat_answer_count', 'csat_score_total',
                'touch_count', 'touch_response_count', 'event_attendance_count', 'lost_opportunity_count',
                'competitor_loss_count', 'writeoff_amount', 'service_cost_amount',
            ],
            '730d': ['expired_contract_count', 'renewed_contract_count'],
        },
    }[group]) }}
{% endmacro %}

{#- The windows of a group that close. -#}
{% macro bounded_windows(group='trade') %}
    {{ return(windowed_measures(group).keys() | reject('equalto', 'all') | list) }}
{% endmacro %}

{#- A balance has no window in its name; everything else says which one it is summed over. -#}
{% macro windowed_name(measure, window_name) -%}
{{ measure if measure in ('open_amount', 'overdue_amount', 'pipeline_amount') else measure ~ '_' ~ window_name }}
{%- endmacro %}

{#- All published measures of a group by window as select columns: {m} is the measure, {w} its window, {n} the column's name
    and {t} its type in marts.
    Where only some windows are meant (``window_name``; without one, the bounded ones against 'all' when ``others`` is
    given), the rest take the template ``others``. -#}
{% macro each_windowed(template, others=none, window_name=none, group='trade') -%}
{%- for window, measures in windowed_measures(group).items() %}
{%- set last_window = loop.last %}
{%- set is_meant = others is none or (window == window_name if window_name else window != 'all') %}
{%- for measure in measures %}
    {{ (template if is_meant else others).replace('{m}', measure).replace('{w}', window).replace('{n}', windowed_name(measure, window))
        .replace('{t}', 'bigint' if measure.endswith('_count') else 'decimal(18, 4)') }}
{{- "," if not (loop.last and last_window) }}
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{#- A figure, and unknown where nobody delivers the tables (all of them; with 'or' any of them) that it is counted from. -#}
{% macro delivered_or_unknown(expression, tables, operator='and') -%}
case when delivered.has_{{ tables | join(' ' ~ operator ~ ' delivered.has_') }} then {{ expression }} end
{%- endmacro %}
