{{ config(meta={
    'dagster': {'ref': {'name': 'policy_parameters'}},
    'expected': 'quantile_count is 2 or more',
    'mend': 'raise it; policy_rfm_segments.csv must cover as many scores',
}) }}
-- One group would leave no distance to score by.
select policy_version, value
from {{ ref('policy_parameters') }}
where parameter = 'quantile_count'
    and not value > 1
