{{ config(meta={'dagster': {'ref': {'name': 'int_customers__identity'}}}) }}
-- Labels spread a fixed number of rounds; a cluster with a longer chain of keys would carry two ids.
select keys.as_of_date, keys.shared_key
from {{ ref('int_account_keys__shared') }} as keys
inner join {{ ref('int_customers__identity') }} as identity
    on keys.source_system = identity.source_system
    and keys.source_id = identity.source_id
    and identity.valid_from <= keys.as_of_date
    and identity.valid_to > keys.as_of_date
group by keys.as_of_date, keys.shared_key
having count(distinct identity.customer_id) > 1
