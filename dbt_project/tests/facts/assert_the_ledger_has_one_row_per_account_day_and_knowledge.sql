{{ config(meta={'dagster': {'ref': {'name': 'int_account_days'}}}) }}
-- Of what this run has added; what stood was looked at when it was added.
select source_system, source_id, event_date, window_date, effective_from
from {{ ref('int_account_days') }}
where {{ built('known_at') }} is null
    or effective_from > {{ built('known_at') }}
group by source_system, source_id, event_date, window_date, effective_from
having count(*) > 1
