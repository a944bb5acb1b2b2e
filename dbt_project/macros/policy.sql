{#- The single-valued parameters that models read, by the names they have in policy_parameters. -#}
{% macro policy_parameters() %}
    {{ return([
        'quantile_count', 'score_scale', 'tier_base_score', 'fx_max_age_days', 'identity_cluster_cap', 'lifecycle_new_days',
        'lifecycle_dormant_days', 'lifecycle_growth_ratio', 'lifecycle_decline_ratio',
    ]) }}
{% endmacro %}
