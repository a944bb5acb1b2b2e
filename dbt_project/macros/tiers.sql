{#- A rank of a tier held between the floor and the ceiling of a relation, where it has any; 1 is the highest. -#}
{% macro rank_within(rank, limits) -%}
greatest(least({{ rank }}, coalesce({{ limits }}.floor_rank, {{ rank }})), coalesce({{ limits }}.ceiling_rank, 1))
{%- endmacro %}
