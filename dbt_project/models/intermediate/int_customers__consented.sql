{#- What a customer agrees to on each as-of date: the purposes to which one of its subjects, itself or a person of its CRM
    accounts, agrees by the newest word known by then, and none refuses by its newest. Of two words of one instant the refusal
    counts. Words of an address or a number alone are nobody's here: they never leave the vault. -#}
with dates as (

    select as_of_date, known_at from {{ dates_needing(private_figures() + private_attributes()) }} as dates

),

newest as (

    select
        dates.as_of_date, dates.known_at, consents.subject_system, consents.subject_kind, consents.subject_id, consents.purpose,
        max(case when consents.is_given then consents.decided_at end) as agreed_at,
        max(case when consents.is_given then null else consents.decided_at end) as refused_at
    from {{ ref('stg_privacy__consents') }} as consents
    inner join dates
        on consents.known_from <= dates.known_at
        and consents.known_to > dates.known_at
        and consents.decided_at <= dates.known_at
    group by
        dates.as_of_date, dates.known_at, consents.subject_system, consents.subject_kind, consents.subject_id, consents.purpose

),

words as (

    select
        as_of_date, known_at, subject_system, subject_kind, subject_id, purpose,
        case when agreed_at > refused_at or refused_at is null then 1 else 0 end as is_agreed
    from newest

),

subjects as (

    select as_of_date, subject_system, subject_id as account_id, purpose, is_agreed
    from words
    where subject_kind = 'customer'

    union all

    select words.as_of_date, words.subject_system, persons.account_id, words.purpose, words.is_agreed
    from words
    inner join {{ ref('stg_crm__persons') }} as persons
        on words.subject_system = persons.source_system
        and words.subject_id = persons.person_id
        and persons.known_from <= words.known_at
        and persons.known_to > words.known_at
    where words.subject_kind = 'person'

)

select subjects.as_of_date, identity.customer_id, subjects.purpose
from subjects
inner join {{ ref('int_customers__identity') }} as identity
    on subjects.subject_system = identity.source_system
    and subjects.account_id = identity.source_id
    and identity.valid_from <= subjects.as_of_date
    and identity.valid_to > subjects.as_of_date
group by subjects.as_of_date, identity.customer_id, subjects.purpose
having min(subjects.is_agreed) = 1
