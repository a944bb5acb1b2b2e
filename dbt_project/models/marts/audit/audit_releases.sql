select release_id, as_of_date, known_at, policy_version, customer_count, net_amount_365d, published_at
from {{ ref('stg_run__releases') }}
