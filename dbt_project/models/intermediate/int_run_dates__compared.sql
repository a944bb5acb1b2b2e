{#- The as-of dates of the run, each with the decision that came before it: the date before in the run, or the last one in
    the ledger. Without such a decision, or one that tells what its scores were made of, nothing is compared. A view: which model a date
    has is known only once one is trained. -#}
{{ config(materialized='view') }}
with decided as (

    select distinct as_of_date, known_at, policy_version, model_version from {{ ref('stg_run__decided_customers') }}

),

ordered as (

    select
        dates.as_of_date, ordered.date_number, dates.known_at, dates.policy_version, dates.model_version,
        lag(dates.as_of_date) over run as earlier_date,
        lag(dates.known_at) over run as earlier_known_at,
        lag(dates.policy_version) over run as earlier_policy_version,
        lag(dates.model_version) over run as earlier_model_version
    from {{ ref('stg_run__dates') }} as dates
    inner join {{ ref('int_run_dates__ordered') }} as ordered on dates.as_of_date = ordered.as_of_date
    window run as (order by dates.as_of_date)

)

select
    ordered.as_of_date,
    ordered.date_number = 1 as is_first,
    ordered.known_at,
    ordered.policy_version,
    ordered.model_version,
    coalesce(ordered.earlier_date, decided.as_of_date) as earlier_date,
    coalesce(ordered.earlier_known_at, decided.known_at) as earlier_known_at,
    coalesce(ordered.earlier_policy_version, decided.policy_version) as earlier_policy_version,
    coalesce(ordered.earlier_model_version, decided.model_version) as earlier_model_version
from ordered
left join decided on ordered.date_number = 1
