{{ config(meta={
    'dagster': {'ref': {'name': 'policy_rfm_segments'}},
    'expected': 'of each RFM lens, each cell of recency, frequency and monetary scores from 1 to quantile_count lies in one segment',
    'mend': 'change the from and to of the segments',
}) }}
with bounds as (

    {% for score in ['recency', 'frequency', 'monetary'] %}
    select policy_version, lens, {{ score }}_from as score from {{ ref('policy_rfm_segments') }}
    union all
    select policy_version, lens, {{ score }}_to as score from {{ ref('policy_rfm_segments') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

scores as (

    select policy_version, {{ number_series('cast(max(value) as bigint) - 1') }} + 1 as score
    from {{ ref('policy_parameters') }}
    where parameter = 'quantile_count'
    group by policy_version

),

cells as (

    select
        lenses.policy_version, lenses.lens, recency.score as r_score, frequency.score as f_score, monetary.score as m_score
    from (select distinct policy_version, lens from {{ ref('policy_rfm_segments') }}) as lenses
    inner join scores as recency on lenses.policy_version = recency.policy_version
    inner join scores as frequency on lenses.policy_version = frequency.policy_version
    inner join scores as monetary on lenses.policy_version = monetary.policy_version

),

covered as (

    select cells.policy_version, cells.lens, cells.r_score, cells.f_score, cells.m_score, count(segments.segment) as segment_count
    from cells
    left join {{ ref('policy_rfm_segments') }} as segments
        on cells.policy_version = segments.policy_version
        and cells.lens = segments.lens
        and cells.r_score between segments.recency_from and segments.recency_to
        and cells.f_score between segments.frequency_from and segments.frequency_to
        and cells.m_score between segments.monetary_from and segments.monetary_to
    group by cells.policy_version, cells.lens, cells.r_score, cells.f_score, cells.m_score

)

select
    policy_version,
    lens,
    'recency ' || cast(r_score as varchar) || ', frequency ' || cast(f_score as varchar) || ', monetary ' || cast(m_score as varchar)
    || ' lies in ' || cast(segment_count as varchar) || ' segments' as problem
from covered
where segment_count <> 1
union all
select distinct bounds.policy_version, bounds.lens, 'there is no score ' || cast(bounds.score as varchar) as problem
from bounds
where (bounds.policy_version, bounds.score) not in (select scores.policy_version, scores.score from scores)
