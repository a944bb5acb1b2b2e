with population as (

    select as_of_date, customer_id, account_count, first_known_at from {{ ref('int_customers__population') }}

),

windowed as (

    select * from {{ ref('int_customers__windowed') }} where customer_id is not null

),

dated as (

    select customer_id, valid_from, valid_to, first_order_date, last_order_date, last_contact_date
    from {{ ref('int_customers__dated') }}

)

select
    population.as_of_date,
    population.customer_id,
    population.account_count,
    dated.first_order_date,
    dated.last_order_date,
    dated.last_contact_date,
    {{ days_between('dated.last_order_date', 'population.as_of_date') }} as recency_days,
    {{ days_between('dated.first_order_date', 'population.as_of_date') }} as tenure_days,
    {{ days_between('dated.last_contact_date', 'population.as_of_date') }} as days_since_contact,
    coalesce(windowed.order_count_90d, 0) as order_count_90d,
    coalesce(windowed.order_count_365d, 0) as order_count_365d,
    coalesce(windowed.order_count_all, 0) as order_count_all,
    coalesce(windowed.contact_count_90d, 0) as contact_count_90d,
    coalesce(windowed.contact_count_365d, 0) as contact_count_365d,
    {{ money('coalesce(windowed.gross_amount_365d, 0)') }} as gross_amount_365d,
    {{ money('coalesce(windowed.discount_amount_365d, 0)') }} as discount_amount_365d,
    {{ money('coalesce(windowed.net_amount_90d, 0)') }} as net_amount_90d,
    {{ money('coalesce(windowed.net_amount_365d, 0)') }} as net_amount_365d,
    {{ money('coalesce(windowed.net_amount_730d, 0)') }} as net_amount_730d,
    {{ money('coalesce(windowed.net_amount_all, 0)') }} as net_amount_all,
    {{ money('coalesce(windowed.returned_amount_365d, 0)') }} as returned_amount_365d,
    {{ money('coalesce(windowed.margin_amount_365d, 0)') }} as margin_amount_365d,
    {{ money('coalesce(windowed.costless_amount_365d, 0)') }} as costless_amount_365d,
    {{ money_quotient('windowed.net_amount_365d', 'windowed.order_count_365d') }} as average_order_amount_365d,
    {{ rate_of('windowed.returned_amount_365d', 'windowed.net_amount_365d + windowed.returned_amount_365d') }}
        as return_rate_365d,
    {{ rate_of('windowed.discount_amount_365d', 'windowed.gross_amount_365d') }} as discount_rate_365d,
    {{ money('coalesce(windowed.due_amount_730d, 0)') }} as due_amount_730d,
    {{ money('coalesce(windowed.collected_amount_730d, 0)') }} as collected_amount_730d,
    {{ rate_of('windowed.collected_amount_730d', 'windowed.due_amount_730d') }} as collection_rate_730d,
    {{ rate_of('windowed.late_collected_amount_365d', 'windowed.collected_amount_365d') }} as late_payment_rate_365d,
    {{ money('coalesce(windowed.open_amount, 0)') }} as open_amount,
    {{ money('coalesce(windowed.overdue_amount, 0)') }} as overdue_amount,
    {{ money('coalesce(windowed.pipeline_amount, 0)') }} as pipeline_amount
from population
left join windowed
    on population.customer_id = windowed.customer_id
    and windowed.valid_from <= population.as_of_date
    and windowed.valid_to > population.as_of_date
left join dated
    on population.customer_id = dated.customer_id
    and dated.valid_from <= population.as_of_date
    and dated.valid_to > population.as_of_date
