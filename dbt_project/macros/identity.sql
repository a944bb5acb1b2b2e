{#- Upper case without spaces (also ideographic ones), dashes and dots; empty becomes null, and so does a code that
    is one character repeated: a placeholder would join strangers. -#}
{% macro normalised_tax_id(column) -%}
{%- set bare -%}
upper(replace(replace(replace(replace({{ column }}, ' ', ''), '-', ''), '.', ''), chr(12288), ''))
{%- endset -%}
case when replace({{ bare }}, substring({{ bare }}, 1, 1), '') = '' then null else {{ bare }} end
{%- endmacro %}

{#- Whose word comes first where systems disagree, as text that sorts: CRM, sales, finance. -#}
{% macro family_order(column) -%}
case {{ column }} when 'crm' then 'a' when 'sales' then 'b' else 'c' end
{%- endmacro %}
