{#- Why the score of a customer is another than in the decision before: the change of each factor's contribution, given to causes
    in a declared order. Another rule for the factor (policy), or another model that it reads, takes all of it. Else it is
    shared among what has moved the sums it is counted from the way it went, by how far each did. Where none of that did,
    others have moved (drift), time has passed (roll_off), or a record without a day is another (correction). -#}
with dates as (

    select * from {{ ref('int_run_dates__compared') }} where earlier_date is not null

),

explained as (

    select
        factors.as_of_date, factors.customer_number, coalesce(lenses.lens, 'base') as factor, factors.score, factors.weight,
        factors.contribution, factors.is_dropped
    from {{ ref('int_factors__contributed') }} as factors
    left join {{ ref('int_lenses__numbered') }} as lenses on factors.lens_number = lenses.lens_number

),

decided as (

    select customers.customer_number, factors.factor, factors.score, factors.weight, factors.contribution, factors.is_dropped
    from {{ ref('stg_run__decided_factors') }} as factors
    inner join {{ ref('int_customers__numbered') }} as customers on factors.customer_id = customers.customer_id

),

earlier as ({{ told_before('explained', 'decided', ['customer_number', 'factor', 'score', 'weight', 'contribution', 'is_dropped']) }}),

changes as (

    select
        coalesce(told.as_of_date, earlier.as_of_date) as as_of_date,
        coalesce(told.customer_number, earlier.customer_number) as customer_number,
        coalesce(told.factor, earlier.factor) as factor,
        cast(coalesce(told.contribution, 0) - coalesce(earlier.contribution, 0) as decimal(18, 4)) as points,
        told.factor is null or earlier.factor is null
            or coalesce(told.score <> earlier.score, false) or coalesce(told.weight <> earlier.weight, false) as is_moved,
        coalesce(told.is_dropped <> earlier.is_dropped, false) as is_switched
    from explained as told
    full join earlier
        on told.as_of_date = earlier.as_of_date and told.customer_number = earlier.customer_number and told.factor = earlier.factor
    where coalesce(told.contribution, 0) <> coalesce(earlier.contribution, 0)
        or told.is_dropped <> earlier.is_dropped

),

stayed as (

    select told.as_of_date, told.customer_number
    from explained as told
    inner join earlier
        on told.as_of_date = earlier.as_of_date and told.customer_number = earlier.customer_number and told.factor = earlier.factor
    where told.factor = 'base'

),

-- A contribution may change although its factor stands: as another takes part in the whole, or rounds otherwise.
led as (

    select
        changes.*,
        customers.customer_id,
        dates.policy_version,
        dates.model_version <> dates.earlier_model_version as has_other_model,
        case when changes.is_moved or changes.is_switched or changes.factor = 'base' then changes.factor
            else first_value(changes.factor) over (
                partition by changes.as_of_date, changes.customer_number
                order by changes.is_switched desc, changes.is_moved desc, abs(changes.points) desc, changes.factor
            )
        end as leading_factor
    from changes
    inner join stayed on changes.as_of_date = stayed.as_of_date and changes.customer_number = stayed.customer_number
    inner join dates on changes.as_of_date = dates.as_of_date
    inner join {{ ref('int_customers__numbered') }} as customers on changes.customer_number = customers.customer_number

),

ruled as (

    select
        led.as_of_date, led.customer_id, led.factor, led.points, led.policy_version,
        factors.is_relative, factors.is_counted,
        case
            when redefined.factor is not null or factors.factor is null then 'policy'
            when led.has_other_model and factors.is_scored then 'model'
        end as cause
    from led
    left join {{ ref('int_factors__judged') }} as factors
        on led.policy_version = factors.policy_version
        and led.factor = factors.factor
    left join {{ ref('int_factors__redefined') }} as redefined
        on led.as_of_date = redefined.as_of_date
        and led.factor = redefined.factor
    where led.factor = led.leading_factor

),

pushes as (
{{ pushes_of_factors() }}
),

shares as (

    select
        as_of_date, customer_id, factor, cause, is_with,
        sum({{ rate_of('abs(push)', 'all_push') }}) as weight,
        max(case when is_with then 1 else 0 end) over (partition by as_of_date, customer_id, factor) = 1 as is_any_with
    from (
        select
            *, sum(abs(push)) over (partition by as_of_date, customer_id, factor, measure, is_with) as all_push
        from pushes
    ) as pushes
    group by as_of_date, customer_id, factor, cause, is_with

),

taken as (

    select ruled.as_of_date, ruled.customer_id, ruled.factor, shares.cause, shares.weight
    from ruled
    inner join shares
        on ruled.as_of_date = shares.as_of_date
        and ruled.customer_id = shares.customer_id
        and ruled.factor = shares.factor
    where shares.is_with or not (shares.is_any_with or ruled.is_relative)

),

causes as (

    select as_of_date, customer_id, factor, cause, cast(1 as decimal(28, 6)) as weight from ruled where cause is not null

    union all

    select
        ruled.as_of_date, ruled.customer_id, ruled.factor,
        coalesce(taken.cause, case
            when ruled.is_relative then 'drift' when ruled.is_counted then 'roll_off' else 'correction'
        end) as cause,
        coalesce(taken.weight, 1) as weight
    from ruled
    left join taken
        on ruled.as_of_date = taken.as_of_date and ruled.customer_id = taken.customer_id and ruled.factor = taken.factor
    where ruled.cause is null

),

{{ shared_points('led', 'causes') }}
