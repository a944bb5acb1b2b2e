{#- What is known of the persons behind a customer on each as-of date, and of its balances: sensitive, so it stays here, and
    only for whom agrees to the purpose each column names in the contract (隐私保护). The profit of the customer itself needs no
    one's word. Of several persons the one with the smallest code speaks. Bands may leave, figures never do. -#}
with dates as (

    select
        dates.as_of_date, dates.known_at, policy.household_baby_years, policy.household_grown_years,
        policy.household_empty_nest_years
    from {{ dates_needing(private_figures() + private_attributes()) }} as dates
    inner join {{ ref('int_policy__in_force') }} as policy on dates.as_of_date = policy.as_of_date

),

consents as (

    select
        as_of_date, customer_id,
        max(case when purpose = 'profiling' then 1 else 0 end) = 1 as is_profiled,
        max(case when purpose = 'psychographic' then 1 else 0 end) = 1 as is_psychographic
    from {{ ref('int_customers__consented') }}
    group by as_of_date, customer_id

),

balances as (

    select
        as_of_date, customer_id,
        sum(case when is_wealth then average_amount else 0 end) as wealth_amount,
        sum(case when is_wealth or is_loan then average_amount else 0 end) as wealth_loan_amount,
        count(case when is_wealth and holding_count > 0 then 1 end) as product_count,
        sum(case when is_loan then holding_count else 0 end) as loan_count,
        sum(profit_amount) as bank_profit_amount
    from {{ ref('int_balances__averaged') }}
    group by as_of_date, customer_id

),

persons as (

    select
        dates.as_of_date, identity.customer_id,
        extract(year from dates.as_of_date) - persons.birth_year as age_years,
        persons.marital = 'married' as is_married,
        persons.marital <> 'unknown' and persons.children_count is not null as is_told,
        persons.children_count > 0 as has_children,
        coalesce(persons.youngest_child_age >= dates.household_grown_years, false) as is_grown,
        coalesce(persons.youngest_child_age < dates.household_baby_years, false) as is_baby,
        coalesce(extract(year from dates.as_of_date) - persons.birth_year >= dates.household_empty_nest_years, false) as is_elder,
        persons.income_band,
        {{ first_tag('persons.lifestyle_tags') }} as lifestyle,
        row_number() over (
            partition by dates.as_of_date, identity.customer_id order by persons.source_system, persons.person_id
        ) as nth
    from {{ ref('stg_crm__persons') }} as persons
    inner join dates
        on persons.known_from <= dates.known_at
        and persons.known_to > dates.known_at
    inner join {{ ref('int_customers__identity') }} as identity
        on persons.source_system = identity.source_system
        and persons.account_id = identity.source_id
        and identity.family = 'crm'
        and identity.valid_from <= dates.as_of_date
        and identity.valid_to > dates.as_of_date

),

households as (

    select
        persons.*,
        case
            when not coalesce(is_told, false) then 'unknown'
            when has_children and is_grown then 'empty_nest'
            when has_children and not is_married then 'single_parent'
            when has_children and is_baby then 'couple_with_baby'
            when has_children then 'family'
            when not is_married then 'single'
            when is_elder then 'empty_nest'
            else 'couple'
        end as household_stage
    from persons
    where nth = 1

)

select
    population.as_of_date,
    population.customer_id,
    case when consents.is_profiled then {{ money('balances.wealth_amount') }} end as wealth_amount,
    case when consents.is_profiled then {{ money('balances.wealth_loan_amount') }} end as wealth_loan_amount,
    case when consents.is_profiled then cast(balances.product_count as bigint) end as product_count,
    case when consents.is_profiled then cast(balances.loan_count as bigint) end as loan_count,
    case when consents.is_profiled then {{ money('balances.bank_profit_amount') }} end as bank_profit_amount,
    case
        when consents.is_profiled and balances.loan_count > 0 then 'true'
        when consents.is_profiled and balances.loan_count = 0 then 'false'
    end as has_loan,
    case when consents.is_profiled then cast(households.age_years as bigint) end as age_years,
    case when consents.is_profiled then households.household_stage end as household_stage,
    case when consents.is_profiled then households.income_band end as income_band,
    case when consents.is_psychographic then households.lifestyle end as lifestyle,
    described.customer_profit_state as profit_state,
    described.customer_profit_trend as profit_trend
from {{ ref('int_customers__population') }} as population
inner join dates on population.as_of_date = dates.as_of_date
left join {{ ref('int_customers__described') }} as described
    on population.customer_id = described.customer_id
    and described.valid_from <= population.as_of_date
    and described.valid_to > population.as_of_date
left join consents
    on population.as_of_date = consents.as_of_date
    and population.customer_id = consents.customer_id
left join balances
    on population.as_of_date = balances.as_of_date
    and population.customer_id = balances.customer_id
left join households
    on population.as_of_date = households.as_of_date
    and population.customer_id = households.customer_id
where consents.is_profiled
    or consents.is_psychographic
    or described.customer_profit_state is not null
    or described.customer_profit_trend is not null
