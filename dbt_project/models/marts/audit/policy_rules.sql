{#- Every number in force on the release date, in one list an auditor can read. -#}
with in_force as (

    select versions.policy_version, versions.approved_at, versions.approved_by
    from {{ ref('int_policy__in_force') }} as dates
    inner join {{ ref('policy_versions') }} as versions on dates.policy_version = versions.policy_version
    where dates.is_release_date

),

rules as (

    select
        policy_version, 'parameter' as rule_kind, parameter as subject, parameter as rule_name,
        cast(null as decimal(18, 6)) as lower_bound, cast(null as decimal(18, 6)) as upper_bound,
        cast(value as decimal(18, 6)) as rule_value, unit, label_en, label_zh, provenance, provenance_note
    from {{ ref('policy_parameters') }}

    union all

    select
        policy_version, 'band' as rule_kind, lens as subject, band as rule_name,
        lower_bound, upper_bound, score as rule_value, 'points' as unit,
        label_en, label_zh, provenance, provenance_note
    from {{ ref('policy_bands') }}

    union all

    select
        policy_version, 'weight' as rule_kind, target as subject, factor as rule_name,
        null as lower_bound, null as upper_bound, weight as rule_value, 'share' as unit,
        label_en, label_zh, provenance, null as provenance_note
    from {{ ref('policy_weights') }}

    union all

    select
        policy_version, 'window' as rule_kind, 'window' as subject, window_name as rule_name,
        null as lower_bound, null as upper_bound, window_days as rule_value, 'days' as unit,
        label_en, label_zh, provenance, null as provenance_note
    from {{ ref('policy_windows') }}

    union all

    select
        policy_version, 'fallback' as rule_kind, lens as subject, fallback_band as rule_name,
        null as lower_bound, null as upper_bound, fallback_score as rule_value, 'points' as unit,
        label_en, label_zh, provenance, provenance_note
    from {{ ref('policy_lenses') }}

    union all

    select
        policy_version, 'order_status' as rule_kind, 'is_counted' as subject, status as rule_name,
        null as lower_bound, null as upper_bound, case when is_counted then 1 else 0 end as rule_value, 'yes or no' as unit,
        status as label_en, null as label_zh, provenance, null as provenance_note
    from {{ ref('policy_order_statuses') }}

    union all

    select
        policy_version, 'rfm_segment' as rule_kind, 'rfm' as subject, segment as rule_name,
        recency_from as lower_bound, recency_to as upper_bound, null as rule_value, 'recency score' as unit,
        label_en, label_zh, provenance, 'frequency ' || frequency_from || ' to ' || frequency_to as provenance_note
    from {{ ref('policy_rfm_segments') }}

    union all

    select
        cells.policy_version, 'cell' as rule_kind, cells.lens as subject, cells.row_band || ' x ' || cells.column_band as rule_name,
        null as lower_bound, null as upper_bound, bands.score as rule_value, 'points' as unit,
        bands.label_en, bands.label_zh, cells.provenance,
        cells.row_lens || ' x ' || cells.column_lens || ': ' || cells.band as provenance_note
    from {{ ref('policy_matrices') }} as cells
    inner join {{ ref('policy_bands') }} as bands
        on cells.policy_version = bands.policy_version
        and cells.lens = bands.lens
        and cells.band = bands.band

    union all

    select
        policy_version, 'transition' as rule_kind, lens as subject, from_band || ' to ' || to_band as rule_name,
        null as lower_bound, null as upper_bound, case when is_expected then 1 else 0 end as rule_value, 'yes or no' as unit,
        label_en, label_zh, provenance, provenance_note
    from {{ ref('policy_transitions') }}

)

select
    rules.policy_version,
    rules.rule_kind,
    rules.subject,
    rules.rule_name,
    cast(rules.lower_bound as decimal(18, 6)) as lower_bound,
    cast(rules.upper_bound as decimal(18, 6)) as upper_bound,
    cast(rules.rule_value as decimal(18, 6)) as rule_value,
    rules.unit,
    rules.label_en,
    rules.label_zh,
    rules.provenance,
    rules.provenance_note,
    in_force.approved_at,
    in_force.approved_by
from rules
inner join in_force on rules.policy_version = in_force.policy_version
