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
        {%- for name in policy_parameters() %}
        max(case when parameter = '{{ name }}' then value end) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('policy_parameters') }}
    group by policy_version

)

select
    dates.as_of_date,
    dates.policy_version,
    dates.is_release_date,
    versions.reporting_currency,
    {%- for name in policy_parameters() %}
    parameters.{{ name }}{{ "," if not loop.last }}
    {%- endfor %}
from dates
inner join versions on dates.policy_version = versions.policy_version
inner join parameters on dates.policy_version = parameters.policy_version
