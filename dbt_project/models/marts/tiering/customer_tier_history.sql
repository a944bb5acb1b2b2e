{#- History as decided, as intervals of as-of dates: a tier that stands is one interval however often it was decided. -#}
with history as (

    {{ as_decided('tier', ref('customer_tiers'), 'tier') }}

)

select
    history.customer_id,
    history.band as tier,
    history.valid_from as valid_from_date,
    case when history.valid_to < {{ end_of_dates() }} then history.valid_to end as valid_to_date,
    history.valid_to = {{ end_of_dates() }} as is_current
from history
