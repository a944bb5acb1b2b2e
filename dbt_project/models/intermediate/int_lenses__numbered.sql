{#- The lenses of the policies in force on the run's dates, each with a number: int_customers__numbered says why. -#}
select
    cast(row_number() over (order by lenses.policy_version, lenses.lens) as integer) as lens_number,
    lenses.policy_version,
    lenses.lens,
    lenses.stage,
    lenses.method,
    lenses.indicator,
    lenses.on_missing,
    lenses.fallback_band,
    lenses.fallback_score,
    coalesce(lenses.indicator, lenses.fed_by) as missing_input,
    {{ unjudged_reason('lenses') }} as unjudged_reason,
    deciding.lens is not null as is_deciding,
    (lenses.policy_version, lenses.lens) in ({{ weighing_lenses() }}) as is_weighing
from {{ ref('policy_lenses') }} as lenses
left join {{ ref('int_lenses__deciding') }} as deciding
    on lenses.policy_version = deciding.policy_version
    and lenses.lens = deciding.lens
where lenses.policy_version in (select policy.policy_version from {{ ref('int_policy__in_force') }} as policy)
