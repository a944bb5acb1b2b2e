{{ config(meta={'dagster': {'ref': {'name': 'int_account_days'}}}) }}
-- Of both ledgers, and of what this run has added to them; what stood was looked at when it was added.
{%- for ledger in ['int_account_days', 'int_relation_days'] %}
select '{{ ledger }}' as ledger, source_system, source_id, event_date, window_date, effective_from
from {{ ref(ledger) }}
where {{ built('known_at') }} is null
    or effective_from > {{ built('known_at') }}
group by source_system, source_id, event_date, window_date, effective_from
having count(*) > 1
{{ "union all" if not loop.last }}
{%- endfor %}
