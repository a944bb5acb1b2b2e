{#- The horizon whose scores are shown where one must do for all: the shortest that a lens which decides reads, as in
    inactive_probability_90d; without one, that any lens in force reads; without one, the shortest there is. -#}
{% macro horizons_shown() %}
select ranked.as_of_date, ranked.horizon_days
from (
    select
        scored.as_of_date, scored.horizon_days,
        row_number() over (
            partition by scored.as_of_date
            order by count(deciding.lens) = 0, count(lenses.lens) = 0, scored.horizon_days
        ) as place
    from (
        {%- for score in cut_scores() %}
        select as_of_date, horizon_days, '{{ score }}_' || cast(horizon_days as varchar) || 'd' as indicator
        from {{ ref('customer_scores') }}
        group by as_of_date, horizon_days
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as scored
    inner join {{ ref('int_policy__in_force') }} as policy on scored.as_of_date = policy.as_of_date
    left join {{ ref('policy_lenses') }} as lenses
        on policy.policy_version = lenses.policy_version
        and scored.indicator = lenses.indicator
    left join {{ ref('int_lenses__deciding') }} as deciding
        on lenses.policy_version = deciding.policy_version
        and lenses.lens = deciding.lens
    group by scored.as_of_date, scored.horizon_days
) as ranked
where ranked.place = 1
{% endmacro %}
