{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'lifecycle_transitions'}}}) }}
-- Of the days of this run: a correction can send a customer where the state machine expects nobody, and is worth a look.
select transitions.*
from {{ ref('lifecycle_transitions') }} as transitions
inner join {{ ref('stg_run__dates') }} as dates on transitions.movement_date = dates.as_of_date
where not transitions.is_expected
