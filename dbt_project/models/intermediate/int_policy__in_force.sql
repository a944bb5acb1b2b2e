{#- The parameters of the policy in force on each as-of date, one column each. -#}
with dates as (

    select as_of_date, policy_version, is_release_date from {{ ref('stg_run__dates') }}

),

versions as (

    select policy_version, reporting_currency from {{ ref('policy_versions') }}

),

parameters as (

    select
        policy_version,
        max(case when parameter = 'quantile_count' then value end) as quantile_count,
        max(case when parameter = 'score_scale' then value end) as score_scale,
        max(case when parameter = 'tier_base_score' then value end) as tier_base_score,
        max(case when parameter = 'fx_max_age_days' then value end) as fx_max_age_days,
        max(case when parameter = 'identity_cluster_cap' then value end) as identity_cluster_cap,
        max(case when parameter = 'lifecycle_new_days' then value end) as lifecycle_new_days,
        max(case when parameter = 'lifecycle_dormant_days' then value end) as lifecycle_dormant_days,
        max(case when parameter = 'lifecycle_growth_ratio' then value end) as lifecycle_growth_ratio,
        max(case when parameter = 'lifecycle_decline_ratio' then value end) as lifecycle_decline_ratio
    from {{ ref('policy_parameters') }}
    group by policy_version

)

select
    dates.as_of_date,
    dates.policy_version,
    dates.is_release_date,
    versions.reporting_currency,
    parameters.quantile_count,
    parameters.score_scale,
    parameters.tier_base_score,
    parameters.fx_max_age_days,
    parameters.identity_cluster_cap,
    parameters.lifecycle_new_days,
    parameters.lifecycle_dormant_days,
    parameters.lifecycle_growth_ratio,
    parameters.lifecycle_decline_ratio
from dates
inner join versions on dates.policy_version = versions.policy_version
inner join parameters on dates.policy_version = parameters.policy_version
