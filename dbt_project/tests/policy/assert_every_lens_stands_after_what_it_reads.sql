{{ config(meta={
    'dagster': {'ref': {'name': 'policy_lenses'}},
    'expected': 'stage 1 for a lens that judges figures, texts or a mart of its own; one of method matrix, worst, best, weighted or '
        ~ 'count has stage 2 or 3 and reads lenses of a smaller one: in its cells, its parts, its weights, or as its indicator',
    'mend': 'raise the stage, add the rows that say what it reads, or correct the name',
}) }}
-- Of a lens that reads nothing, or what is not yet judged, everybody would silently get the fallback.
with lenses as (

    select policy_version, lens, stage, method, indicator from {{ ref('policy_lenses') }}

),

read as (

    select policy_version, lens, row_lens as part, 'matrix' as method from {{ ref('policy_matrices') }}
    union
    select policy_version, lens, column_lens as part, 'matrix' as method from {{ ref('policy_matrices') }}
    union
    select policy_version, lens, part, 'worst or best' as method from {{ ref('policy_parts') }}
    union
    select policy_version, target as lens, factor as part, 'weighted' as method
    from {{ ref('policy_weights') }}
    where (policy_version, target) in (select policy_version, lens from lenses where method = 'weighted')
    union
    select policy_version, lens, indicator as part, 'count' as method
    from lenses
    where method = 'count'
        and indicator is not null

)

select lenses.policy_version, lenses.lens, lenses.method, null as part
from lenses
where (lenses.method in ({{ quoted(reading_methods()) }})) <> (lenses.stage > 1)
    or (
        lenses.method in ({{ quoted(reading_methods()) }})
        and (lenses.policy_version, lenses.lens) not in (select read.policy_version, read.lens from read)
    )

union all

select read.policy_version, read.lens, lenses.method, read.part
from read
left join lenses
    on read.policy_version = lenses.policy_version
    and read.lens = lenses.lens
left join lenses as parts
    on read.policy_version = parts.policy_version
    and read.part = parts.lens
where not coalesce(parts.stage < lenses.stage, false)
    or read.method not like '%' || lenses.method || '%'
