{#- What moved the sums that a factor is counted from, by measure and cause, and whether it moved them the way its points went. -#}
{% macro pushes_of_factors() -%}
{%- for group, relation in {'trade': ref('int_customers__caused'), 'relation': ref('int_customers__relation_caused')}.items() %}
select
    as_of_date, customer_id, factor, measure, cause, push,
    direction = 0 or sign(push) * direction = sign(points) as is_with
from (
    select
        ruled.as_of_date, ruled.customer_id, ruled.factor, ruled.points, fed.measure, fed.direction, caused.cause,
        {{ windowed_named('caused', 'fed.measure', group) }} as push
    from ruled
    inner join {{ ref('int_factors__fed') }} as fed
        on ruled.policy_version = fed.policy_version
        and ruled.factor = fed.factor
    inner join {{ relation }} as caused
        on ruled.as_of_date = caused.as_of_date
        and ruled.customer_id = caused.customer_id
    where ruled.cause is null
) as pushed_{{ group }}
where push <> 0
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Points by cause: each factor's, in the proportion of its leading factor's causes. The running sum is rounded and a cause gets
    what it grows by, so that the causes sum to the points exactly. -#}
{% macro shared_points(changes, causes) -%}
weighed as (

    select
        changes.as_of_date, changes.customer_id, changes.factor, changes.points, changes.policy_version, causes.cause,
        causes.weight,
        sum(causes.weight) over (partition by changes.as_of_date, changes.customer_id, changes.factor) as all_weight,
        sum(causes.weight) over (
            partition by changes.as_of_date, changes.customer_id, changes.factor
            order by causes.cause
            rows between unbounded preceding and current row
        ) as weight_so_far
    from {{ changes }} as changes
    inner join {{ causes }} as causes
        on changes.as_of_date = causes.as_of_date
        and changes.customer_id = causes.customer_id
        and changes.leading_factor = causes.factor

),

shared as (

    select
        as_of_date, customer_id, factor, cause, policy_version,
        {{ money(
            per_weight('points * weight_so_far', 'all_weight') ~ ' - '
            ~ per_weight('points * (weight_so_far - weight)', 'all_weight')
        ) }} as points
    from weighed

)

select as_of_date, customer_id, factor, cause, points, policy_version
from shared
where points <> 0
{%- endmacro %}
