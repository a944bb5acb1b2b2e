{#- The lenses that each factor of the tier score rests on: its own, and all that this reads. -#}
with read as (

    {{ lenses_read() }}

),

read_1 as (

    select policy_version, factor, factor as lens from {{ ref('policy_weights') }} where target = 'tier'

){% for stage in reading_stages() %},

read_{{ stage }} as (

    select policy_version, factor, lens from read_{{ stage - 1 }}
    union
    select read.policy_version, readers.factor, read.part as lens
    from read
    inner join read_{{ stage - 1 }} as readers
        on read.policy_version = readers.policy_version
        and read.lens = readers.lens

)
{%- endfor %}

select policy_version, factor, lens from read_{{ reading_stages() | last }}
