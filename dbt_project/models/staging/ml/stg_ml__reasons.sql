with source as (

    select * from {{ source('ml', 'reasons') }}

)

select
    as_of_date,
    customer_id,
    horizon_days,
    score_name,
    factor,
    figure,
    contribution,
    cell
from source
