{#- What each factor of the tier score is counted from: the windowed measures that feed its figures, and whether more of one
    raises the score (1), lowers it (-1) or depends (0). A figure without such a measure has a row with none. -#}
with bands as (

    select
        policy_version, lens,
        max(case when upper_bound is null then score end) - max(case when lower_bound is null then score end) as gained_points
    from {{ ref('policy_bands') }}
    group by policy_version, lens

),

lenses as (

    select
        read.policy_version, read.factor, lenses.method,
        case
            when lenses.method = 'share' then 'margin_amount_365d'
            when lenses.method = 'lifecycle' then 'growth_rate'
            {%- for score in cut_scores() %}
            when lenses.indicator like '{{ score }}_%' then 'score'
            {%- endfor %}
            else lenses.indicator
        end as figure,
        coalesce(case when lenses.method = 'share' then 1 else sign(bands.gained_points) end, 0) as orientation
    from {{ ref('int_factors__read') }} as read
    inner join {{ ref('policy_lenses') }} as lenses
        on read.policy_version = lenses.policy_version
        and read.lens = lenses.lens
    left join bands
        on lenses.policy_version = bands.policy_version
        and lenses.lens = bands.lens
    where lenses.method not in ({{ quoted(reading_methods()) }})

),

figures as (

    select policy_version, factor, figure, orientation from lenses where method <> 'quantile'

    union all

    select
        metrics.policy_version, lenses.factor, metrics.indicator as figure,
        case when metrics.is_less_better then -1 else 1 end as orientation
    from lenses
    inner join {{ ref('policy_rfm_metrics') }} as metrics on lenses.policy_version = metrics.policy_version
    where lenses.method = 'quantile'

),

feeds as (
{% for figure, measures in figure_feeds().items() %}
    {%- set last_figure = loop.last %}
    {%- for measure, sign in measures.items() %}
    select '{{ figure }}' as figure, '{{ measure }}' as measure, {{ sign }} as direction
    {{ 'union all' if not (loop.last and last_figure) }}
    {%- endfor %}
{%- endfor %}

)

select
    figures.policy_version,
    figures.factor,
    feeds.measure,
    cast(case
        when min(figures.orientation * feeds.direction) = max(figures.orientation * feeds.direction)
            then min(figures.orientation * feeds.direction)
        else 0
    end as bigint) as direction,
    max(case when figures.figure = 'score' then 1 else 0 end) = 1 as is_scored
from figures
left join feeds on figures.figure = feeds.figure
group by figures.policy_version, figures.factor, feeds.measure
