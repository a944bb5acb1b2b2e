{#- Every rule in force on the release date, in one list an auditor can read. -#}
with in_force as (

    select versions.policy_version, versions.approved_at, versions.approved_by
    from {{ ref('int_policy__in_force') }} as dates
    inner join {{ ref('policy_versions') }} as versions on dates.policy_version = versions.policy_version
    where dates.is_release_date

),

rules as (

    {{ rules_of(ref('policy_parameters'), 'parameter', 'parameter', 'parameter', value='value', unit='unit') }}

    union all

    {{ rules_of(ref('policy_bands'), 'band', 'lens', 'band', 'lower_bound', 'upper_bound', 'score', "'points'") }}

    union all

    {{ rules_of(ref('policy_weights'), 'weight', 'target', 'factor', value='weight', unit="'share'", note='null') }}

    union all

    {{ rules_of(ref('policy_windows'), 'window', "'window'", 'window_name', value='window_days', unit="'days'", note='null') }}

    union all

    {{ rules_of(ref('policy_lenses'), 'fallback', 'lens', 'fallback_band', value='fallback_score', unit="'points'") }}

    union all

    {{ rules_of(
        ref('policy_lenses'), 'lens', "'lens'", 'lens', value='stage', unit="'stage'",
        note="method || ' of ' || coalesce(indicator, fed_by) || '; where it cannot judge: ' || on_missing",
    ) }}

    union all

    {{ rules_of(
        ref('policy_order_statuses'), 'order_status', "'is_counted'", 'status',
        value='case when is_counted then 1 else 0 end', unit="'yes or no'", en='status', zh='null', note='null',
    ) }}

    union all

    {{ rules_of(
        ref('policy_rfm_segments'), 'rfm_segment', 'lens', 'segment', 'recency_from', 'recency_to', unit="'recency score'",
        note="'frequency ' || frequency_from || ' to ' || frequency_to || ', monetary ' || monetary_from || ' to ' || monetary_to",
    ) }}

    union all

    {{ rules_of(
        ref('policy_rfm_metrics'), 'rfm_metric', "'rfm'", 'factor', value='case when is_less_better then 1 else 0 end',
        unit="'less is better'", note='indicator',
    ) }}

    union all

    {{ rules_of(
        ref('policy_matrices'), 'cell', 'rows_of.lens', "rows_of.row_band || ' x ' || rows_of.column_band",
        value='bands.score', unit="'points'", en='bands.label_en', zh='bands.label_zh',
        note="rows_of.row_lens || ' x ' || rows_of.column_lens || coalesce(', next ' || rows_of.next_band, '') || ': ' || rows_of.band",
    ) }}
    {{ with_its_band() }}

    union all

    {{ rules_of(
        ref('policy_labels'), 'label', 'rows_of.lens', 'rows_of.label', value='bands.score', unit="'points'",
        en='bands.label_en', zh='bands.label_zh', note='rows_of.band',
    ) }}
    {{ with_its_band() }}

    union all

    {{ rules_of(
        ref('policy_parts'), 'part', 'rows_of.lens', 'rows_of.part', value='case when rows_of.is_required then 1 else 0 end',
        unit="'required'", en='lenses.label_en', zh='lenses.label_zh', note='null',
    ) }}
    inner join {{ ref('policy_lenses') }} as lenses
        on rows_of.policy_version = lenses.policy_version and rows_of.part = lenses.lens

    union all

    {{ rules_of(
        ref('policy_gates'), 'gate', 'lens', 'gate',
        note="band || ':' || coalesce(' at least ' || floor_tier, '') || coalesce(' at most ' || ceiling_tier, '')"
            ~ " || coalesce('; ' || provenance_note, '')",
    ) }}

    union all

    {{ rules_of(
        ref('policy_actions'), 'action', 'lens', 'band', value='followup_days', unit="'days'", en='action_en', zh='action_zh',
        note="'goal ' || goal_band",
    ) }}

    union all

    {{ rules_of(
        ref('policy_transitions'), 'transition', 'lens', "from_band || ' to ' || to_band",
        value='case when is_expected then 1 else 0 end', unit="'yes or no'",
    ) }}

    union all

    {{ rules_of(
        ref('policy_balance_kinds'), 'balance_kind', "'balance'", 'product_kind', value='earning_rate', unit="'share a year'",
        note='null',
    ) }}

)

select
    rules.policy_version,
    rules.rule_kind,
    rules.subject,
    rules.rule_name,
    rules.lower_bound,
    rules.upper_bound,
    rules.rule_value,
    rules.unit,
    rules.label_en,
    rules.label_zh,
    rules.provenance,
    rules.provenance_note,
    in_force.approved_at,
    in_force.approved_by
from rules
inner join in_force on rules.policy_version = in_force.policy_version
