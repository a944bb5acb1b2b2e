{{ config(meta={'dagster': {'ref': {'name': 'contribution_waterfall'}}}) }}
-- To the last digit. A subtotal sums the parts above it; what is not delivered adds nothing.
select subtotals.as_of_date, subtotals.customer_key, subtotals.step
from {{ ref('contribution_waterfall') }} as subtotals
inner join {{ ref('contribution_waterfall') }} as parts
    on subtotals.as_of_date = parts.as_of_date
    and subtotals.customer_key = parts.customer_key
    and subtotals.step_number > parts.step_number
    and not parts.is_subtotal
where subtotals.is_subtotal
group by subtotals.as_of_date, subtotals.customer_key, subtotals.step, subtotals.amount
having subtotals.amount is null
    or subtotals.amount <> coalesce(sum(parts.amount), 0)
