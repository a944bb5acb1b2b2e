{#- The single-valued parameters that models read, by the names they have in policy_parameters. -#}
{% macro policy_parameters() %}
    {{ return([
        'quantile_count', 'score_scale', 'tier_base_score', 'fx_max_age_days', 'identity_cluster_cap', 'lifecycle_new_days',
        'lifecycle_dormant_days', 'lifecycle_growth_ratio', 'lifecycle_decline_ratio',
        'wallet_revenue_share', 'consecutive_gap_days', 'household_baby_years', 'household_grown_years',
        'household_empty_nest_years', 'nps_scale', 'csat_scale', 'lead_warm_days',
        'tier_keep_margin', 'tier_dwell_days', 'tier_hold_days', 'tier_grace_days', 'tier_review_months', 'tier_moved_limit',
        'tier_reversal_days', 'tier_drift_days',
    ]) }}
{% endmacro %}

{#- The rows of a policy table as rules: what each is called, and its numbers, as SQL over ``seed`` (a table, or a join of it). -#}
{% macro rules_of(seed, kind, subject, name, lower='null', upper='null', value='null', unit='null', en='label_en', zh='label_zh', note='provenance_note') -%}
select
    rows_of.policy_version, '{{ kind }}' as rule_kind, {{ subject }} as subject, {{ name }} as rule_name,
    cast({{ lower }} as decimal(18, 6)) as lower_bound, cast({{ upper }} as decimal(18, 6)) as upper_bound,
    cast({{ value }} as decimal(18, 6)) as rule_value, {{ unit }} as unit,
    {{ en }} as label_en, {{ zh }} as label_zh, rows_of.provenance, {{ note }} as provenance_note
from {{ seed }} as rows_of
{%- endmacro %}

{#- The band that a row of a policy table names, whose labels and points are the row's, too. -#}
{% macro with_its_band() -%}
inner join {{ ref('policy_bands') }} as bands
    on rows_of.policy_version = bands.policy_version and rows_of.lens = bands.lens and rows_of.band = bands.band
{%- endmacro %}
