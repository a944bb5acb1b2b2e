{{ config(meta={
    'dagster': {'ref': {'name': 'policy_versions'}},
    'expected': 'one version is in force on a day',
    'mend': 'let effective_to of the earlier be effective_from of the later',
}) }}
select earlier.policy_version, later.policy_version as overlapping_version
from {{ ref('policy_versions') }} as earlier
inner join {{ ref('policy_versions') }} as later
    on earlier.policy_version < later.policy_version
    and earlier.effective_from < coalesce(later.effective_to, {{ end_of_dates() }})
    and later.effective_from < coalesce(earlier.effective_to, {{ end_of_dates() }})
