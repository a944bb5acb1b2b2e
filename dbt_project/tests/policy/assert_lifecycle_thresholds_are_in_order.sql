{{ config(meta={
    'dagster': {'ref': {'name': 'policy_parameters'}},
    'expected': 'lifecycle_new_days up to lifecycle_dormant_days, and 0 up to lifecycle_decline_ratio up to lifecycle_growth_ratio',
    'mend': 'change the values',
}) }}
-- Stated by every version, and so that no customer is new and dormant at once, nor growing and declining.
with thresholds as (

    select
        versions.policy_version,
        max(case when parameters.parameter = 'lifecycle_new_days' then parameters.value end) as new_days,
        max(case when parameters.parameter = 'lifecycle_dormant_days' then parameters.value end) as dormant_days,
        max(case when parameters.parameter = 'lifecycle_growth_ratio' then parameters.value end) as growth_ratio,
        max(case when parameters.parameter = 'lifecycle_decline_ratio' then parameters.value end) as decline_ratio
    from {{ ref('policy_versions') }} as versions
    left join {{ ref('policy_parameters') }} as parameters on versions.policy_version = parameters.policy_version
    group by versions.policy_version

)

select *
from thresholds
where not coalesce(new_days <= dormant_days and decline_ratio between 0 and growth_ratio, false)
