{{ config(meta={
    'dagster': {'ref': {'name': 'policy_parameters'}},
    'expected': 'each version states each parameter with a value and each window, called after its days, and no other',
    'mend': 'add the row under that name, or take out what nothing reads',
}) }}
-- Models read both by name: one that is missing makes figures empty, one that is misspelt is read by nothing.
with names as (

    {% for name in policy_parameters() %}
    select policy_version, '{{ name }}' as parameter, cast(null as varchar) as window_name from {{ ref('policy_versions') }}
    union all
    {%- endfor %}
    {%- for window_name in windowed_measures() %}
    select policy_version, cast(null as varchar) as parameter, '{{ window_name }}' as window_name from {{ ref('policy_versions') }}
    {{ "union all" if not loop.last }}
    {%- endfor %}

),

stated as (

    select policy_version, parameter, cast(null as varchar) as window_name, value is not null as is_sound
    from {{ ref('policy_parameters') }}

    union all

    select
        policy_version, cast(null as varchar) as parameter, window_name,
        window_name = coalesce(cast(window_days as varchar) || 'd', 'all') as is_sound
    from {{ ref('policy_windows') }}

)

select
    coalesce(names.policy_version, stated.policy_version) as policy_version,
    coalesce(names.parameter, stated.parameter) as parameter,
    coalesce(names.window_name, stated.window_name) as window_name
from names
full join stated
    on names.policy_version = stated.policy_version
    and coalesce(names.parameter, '') = coalesce(stated.parameter, '')
    and coalesce(names.window_name, '') = coalesce(stated.window_name, '')
where names.policy_version is null
    or not coalesce(stated.is_sound, false)
