with source as (

    select * from {{ source('raw', 'raw_marketing__touch') }}

)

select
    source_system,
    touch_id,
    customer_system,
    customer_ref,
    campaign_id,
    channel,
    sent_at,
    business_date,
    delivered as is_delivered,
    opened as is_opened,
    clicked as is_clicked,
    converted as is_converted,
    unsubscribed as is_unsubscribed,
    cost,
    currency,
    is_holdout,
    batch_id,
    source_line,
    known_from,
    known_to
from source
where not is_deleted and known_from < known_to
