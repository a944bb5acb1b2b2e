{{ config(meta={
    'expected': 'each version is in force for a day at least, and where it ends another takes over',
    'mend': 'let effective_to of a version be effective_from of the next, and the last have none',
}) }}
select versions.policy_version, versions.effective_from, versions.effective_to
from {{ ref('policy_versions') }} as versions
where versions.effective_to <= versions.effective_from
    or versions.effective_to not in (select followers.effective_from from {{ ref('policy_versions') }} as followers)
