with source as (

    select * from {{ source('raw', 'raw_finance__fx_rate') }}

)

select
    source_system,
    from_ccy,
    to_ccy,
    rate_date,
    rate,
    rate_kind,
    source as rate_source,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
