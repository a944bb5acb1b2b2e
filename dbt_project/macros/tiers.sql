{#- A rank of a tier held between the floor and the ceiling of a relation, where it has any; 1 is the highest. -#}
{% macro rank_within(rank, limits) -%}
greatest(least({{ rank }}, coalesce({{ limits }}.floor_rank, {{ rank }})), coalesce({{ limits }}.ceiling_rank, 1))
{%- endmacro %}

{#- The tier score of so many points of so much weight: nothing without any. -#}
{% macro score_of(points, weight) -%}
{{ money('case when ' ~ weight ~ ' > 0 then ' ~ per_weight(points, weight) ~ ' else 0 end') }}
{%- endmacro %}
