{{ config(meta={
    'dagster': {'ref': {'name': 'policy_rfm_segments'}},
    'expected': 'each pair of recency and frequency scores from 1 to quantile_count lies in one segment',
    'mend': 'change the from and to of the segments',
}) }}
with scores as (

    select distinct policy_version, recency_from as score from {{ ref('policy_rfm_segments') }}
    union
    select distinct policy_version, recency_to as score from {{ ref('policy_rfm_segments') }}
    union
    select distinct policy_version, frequency_from as score from {{ ref('policy_rfm_segments') }}
    union
    select distinct policy_version, frequency_to as score from {{ ref('policy_rfm_segments') }}

),

expected as (

    select policy_version, cast(value as bigint) as group_count
    from {{ ref('policy_parameters') }}
    where parameter = 'quantile_count'

),

cells as (

    select recency.policy_version, recency.score as r_score, frequency.score as f_score
    from scores as recency
    inner join scores as frequency on recency.policy_version = frequency.policy_version

),

covered as (

    select cells.policy_version, cells.r_score, cells.f_score, count(segments.segment) as segment_count
    from cells
    left join {{ ref('policy_rfm_segments') }} as segments
        on cells.policy_version = segments.policy_version
        and cells.r_score between segments.recency_from and segments.recency_to
        and cells.f_score between segments.frequency_from and segments.frequency_to
    group by cells.policy_version, cells.r_score, cells.f_score

)

select
    policy_version,
    'recency ' || cast(r_score as varchar) || ', frequency ' || cast(f_score as varchar) || ' lies in '
    || cast(segment_count as varchar) || ' segments' as problem
from covered
where segment_count <> 1
union all
select
    expected.policy_version,
    'scores run from ' || cast(seen.lowest as varchar) || ' to ' || cast(seen.highest as varchar) || ', quantile_count is '
    || cast(expected.group_count as varchar) as problem
from expected
inner join (
    select policy_version, count(*) as score_count, min(score) as lowest, max(score) as highest
    from scores
    group by policy_version
) as seen on expected.policy_version = seen.policy_version
where seen.score_count <> expected.group_count or seen.lowest <> 1 or seen.highest <> expected.group_count
