{#- Schemas are called as the folder says, without a prefix, so that a release and the build read alike. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
