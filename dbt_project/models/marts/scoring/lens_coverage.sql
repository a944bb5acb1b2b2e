{#- Of every lens in force on the release date, how many it judges. One that judges nobody says here what it would need; it has rows in
    customer_bands only where it counts for the tier. -#}
with lenses as (

    select
        policy.as_of_date, lenses.lens_number, lenses.lens, lenses.policy_version, lenses.missing_input,
        coalesce(lenses.unjudged_reason, 'no evidence of anybody; fed by ' || lenses.missing_input) as reason
    from {{ ref('int_lenses__numbered') }} as lenses
    inner join {{ ref('int_policy__in_force') }} as policy on lenses.policy_version = policy.policy_version
    where policy.is_release_date

),

customers as (

    select as_of_date, count(*) as customer_count from {{ ref('int_customers__population') }} group by as_of_date

),

judged as (

    select as_of_date, lens_number, count(*) as judged_count
    from {{ ref('int_customers__judged') }}
    where not is_defaulted
    group by as_of_date, lens_number

)

select
    lenses.as_of_date,
    lenses.lens,
    cast(coalesce(judged.judged_count, 0) as bigint) as judged_count,
    cast(coalesce(customers.customer_count, 0) as bigint) as customer_count,
    judged.lens_number is null as is_dark,
    case when judged.lens_number is null then lenses.missing_input end as missing_input,
    case when judged.lens_number is null then lenses.reason end as reason,
    lenses.policy_version
from lenses
left join customers on lenses.as_of_date = customers.as_of_date
left join judged
    on lenses.as_of_date = judged.as_of_date
    and lenses.lens_number = judged.lens_number
