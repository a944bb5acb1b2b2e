-- One group would leave no distance to score by.
select policy_version, value
from {{ ref('policy_parameters') }}
where parameter = 'quantile_count'
    and not value > 1
