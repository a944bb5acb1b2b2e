{#- The additive measures of an account, in one place: name → meaning. A measure is summed from events over a window;
    every event model yields all of them through event_measures(), with nothing where it has nothing to say. -#}
{% macro account_measures() %}
    {{ return({
        'order_count': 'Counted orders',
        'gross_amount': 'Counted lines before discounts',
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
    }) }}
{% endmacro %}

{#- All measures as select columns: the given expressions, zero for the others. -#}
{% macro event_measures(given) -%}
{%- for name in account_measures() %}
    {{ money(given.get(name, 0)) }} as {{ name }}{{ "," if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- All measures with one template applied, e.g. 'sum({m}) as {m}'. -#}
{% macro each_measure(template) -%}
{%- for name in account_measures() %}
    {{ template.replace('{m}', name) }}{{ "," if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Which measures are published over which of the policy's windows; 'all' comes last. -#}
{% macro windowed_measures() %}
    {{ return({
        '90d': ['order_count', 'net_amount', 'contact_count'],
        '365d': [
            'order_count', 'gross_amount', 'discount_amount', 'net_amount', 'returned_amount', 'margin_amount',
            'costless_amount', 'collected_amount', 'late_collected_amount', 'contact_count',
        ],
        '730d': ['net_amount', 'due_amount', 'collected_amount'],
        'all': ['order_count', 'net_amount', 'open_amount', 'overdue_amount', 'pipeline_amount'],
    }) }}
{% endmacro %}

{#- A balance has no window in its name; everything else says which one it is summed over. -#}
{% macro windowed_name(measure, window_name) -%}
{{ measure if measure in ('open_amount', 'overdue_amount', 'pipeline_amount') else measure ~ '_' ~ window_name }}
{%- endmacro %}

{#- All published measures by window as select columns: {m} is the measure, {w} its window, {n} the column's name
    and {t} its type in marts.
    Where only some windows are meant (``window_name``; without one, the bounded ones against 'all' when ``others`` is
    given), the rest take the template ``others``. -#}
{% macro each_windowed(template, others=none, window_name=none) -%}
{%- for window, measures in windowed_measures().items() %}
{%- set last_window = loop.last %}
{%- set is_meant = others is none or (window == window_name if window_name else window != 'all') %}
{%- for measure in measures %}
    {{ (template if is_meant else others).replace('{m}', measure).replace('{w}', window).replace('{n}', windowed_name(measure, window))
        .replace('{t}', 'bigint' if measure.endswith('_count') else 'decimal(18, 4)') }}
{{- "," if not (loop.last and last_window) }}
{%- endfor %}
{%- endfor %}
{%- endmacro %}
