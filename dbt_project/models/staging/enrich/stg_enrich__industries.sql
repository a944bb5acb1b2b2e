with source as (

    select * from {{ source('raw', 'raw_enrich__industry') }}

)

select
    source_system,
    industry_code,
    period,
    growth_rate,
    source as published_by,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
