{#- The factors of the tier score that another version of the policy defines otherwise than the one the decision before was made
    by: their weight, a row of a lens they rest on, or a rule that concerns every figure. -#}
with dates as (

    select as_of_date, policy_version, earlier_policy_version
    from {{ ref('int_run_dates__compared') }}
    where policy_version <> earlier_policy_version

),

definitions as (

    {{ lens_definitions() }}

),

factors as (

    select policy_version, factor, lens from {{ ref('int_factors__read') }}
    union
    select policy_version, factor, 'every' as lens from {{ ref('int_factors__read') }}

),

defined as (

    select factors.policy_version, factors.factor, definitions.definition
    from factors
    inner join definitions
        on factors.policy_version = definitions.policy_version
        and factors.lens = definitions.lens

    union all

    select policy_version, factor, 'weight|' || cast(weight as varchar) as definition
    from {{ ref('policy_weights') }}
    where target = 'tier'

),

sides as (

    select dates.as_of_date, defined.factor, defined.definition, 1 as side
    from defined
    inner join dates on defined.policy_version = dates.policy_version

    union all

    select dates.as_of_date, defined.factor, defined.definition, -1 as side
    from defined
    inner join dates on defined.policy_version = dates.earlier_policy_version

),

differing as (

    select as_of_date, factor, definition
    from sides
    group by as_of_date, factor, definition
    having sum(side) <> 0

)

select distinct as_of_date, factor from differing
