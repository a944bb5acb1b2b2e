{#- What a customer agrees to on each as-of date: the purposes to which one of its subjects, itself or a person of its CRM
    accounts, agrees by the newest word known by then, and none refuses by its newest. Of two words of one instant the refusal
    counts. Words of an address or a number alone are nobody's here: they never leave the vault. -#}
with dates as (

    select as_of_date, known_at from {{ dates_needing(private_figures() + private_attributes()) }} as dates

),

words as (

    select
        dates.as_of_date, dates.known_at, consents.source_system, consents.subject_system, consents.subject_kind,
        consents.subject_id, consents.purpose, consents.is_given, consents.decided_at
    from {{ ref('stg_privacy__consents') }} as consents
    inner join dates
        on consents.known_from <= dates.known_at
        and consents.known_to > dates.known_at
        and consents.decided_at <= dates.known_at

),

subjects as (

    select words.*, words.subject_id as account_id
    from words
    where subject_kind = 'customer'

    union all

    select words.*, persons.account_id
    from words
    inner join {{ ref('stg_crm__persons') }} as persons
        on words.subject_system = persons.source_system
        and words.subject_id = persons.person_id
        and persons.known_from <= words.known_at
        and persons.known_to > words.known_at
    where words.subject_kind = 'person'

),

ranked as (

    select
        subjects.as_of_date, identity.customer_id, subjects.purpose, subjects.is_given,
        row_number() over (
            partition by
                subjects.as_of_date, identity.customer_id, subjects.purpose,
                subjects.subject_system, subjects.subject_kind, subjects.subject_id
            order by subjects.decided_at desc, subjects.is_given asc
        ) as nth
    from subjects
    inner join {{ ref('int_customers__identity') }} as identity
        on subjects.subject_system = identity.source_system
        and subjects.account_id = identity.source_id
        and identity.valid_from <= subjects.as_of_date
        and identity.valid_to > subjects.as_of_date

)

select as_of_date, customer_id, purpose
from ranked
where nth = 1
group by as_of_date, customer_id, purpose
having min(case when is_given then 1 else 0 end) = 1
