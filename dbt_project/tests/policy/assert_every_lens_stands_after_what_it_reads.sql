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

    {{ lenses_read() }}

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
