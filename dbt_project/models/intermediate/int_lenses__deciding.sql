{#- The lenses that a tier or a stage of life rests on: those that weigh, that open gates, and all that these read. -#}
with read as (

    {{ lenses_read() }}

),

decides_1 as (

    select policy_version, factor as lens from {{ ref('policy_weights') }} where target = 'tier'
    union
    select policy_version, lens from {{ ref('policy_gates') }}
    union
    select policy_version, lens from {{ ref('policy_lenses') }} where method = 'lifecycle'

){% for stage in reading_stages() %},

decides_{{ stage }} as (

    select policy_version, lens from decides_{{ stage - 1 }}
    union
    select read.policy_version, read.part as lens
    from read
    inner join decides_{{ stage - 1 }} as readers
        on read.policy_version = readers.policy_version
        and read.lens = readers.lens

)
{%- endfor %}

select policy_version, lens from decides_{{ reading_stages() | last }}
