{#- A table takes the place of the one before it, in one transaction. The adapter's own way builds it beside, renames
    both and drops the old one: four more statements a model, half as much again as building most of them. -#}
{% materialization table, adapter='duckdb' %}
    {%- set standing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {%- if standing is not none %}
        drop {{ standing.type }} {{ standing }};
        {%- endif %}
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
