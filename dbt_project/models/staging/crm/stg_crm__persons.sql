with source as (

    select * from {{ source('raw', 'raw_crm__person') }}

)

select
    source_system,
    person_id,
    account_id,
    birth_year,
    gender,
    marital,
    children_count,
    youngest_child_age,
    income_band,
    education,
    occupation,
    lifestyle_tags,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
