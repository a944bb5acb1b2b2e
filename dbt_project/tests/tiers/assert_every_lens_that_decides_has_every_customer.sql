{{ config(meta={'dagster': {'ref': {'name': 'customer_bands'}}}) }}
-- Of one that judges nobody only where it weighs. A lens that decides nothing has those whom it judges.
with customers as (

    select as_of_date, count(*) as customer_count from {{ ref('customer_indicators') }} group by as_of_date

),

standing as (

    select as_of_date, lens, count(*) as row_count
    from {{ ref('customer_bands') }}
    where as_of_date in (select coverage.as_of_date from {{ ref('lens_coverage') }} as coverage)
    group by as_of_date, lens

),

expected as (

    select
        coverage.as_of_date, coverage.lens,
        case
            when (coverage.policy_version, coverage.lens) in ({{ weighing_lenses() }}) then customers.customer_count
            when deciding.lens is not null and not coverage.is_dark then customers.customer_count
            else coverage.judged_count
        end as row_count
    from {{ ref('lens_coverage') }} as coverage
    inner join customers on coverage.as_of_date = customers.as_of_date
    left join {{ ref('int_lenses__deciding') }} as deciding
        on coverage.policy_version = deciding.policy_version
        and coverage.lens = deciding.lens

)

select
    coalesce(expected.as_of_date, standing.as_of_date) as as_of_date,
    coalesce(expected.lens, standing.lens) as lens
from expected
full join standing
    on expected.as_of_date = standing.as_of_date
    and expected.lens = standing.lens
where expected.lens is null
    or expected.row_count <> coalesce(standing.row_count, 0)
