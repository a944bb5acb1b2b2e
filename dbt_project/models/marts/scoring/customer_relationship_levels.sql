{#- The relationship level that the number of customers in a customer's segment and its margin ask for, and the level one cell to
    the left, to which the customer is to be moved, on the release date. A view: the bands stand in customer_bands. -#}
{{ config(materialized='view') }}
select
    levels.as_of_date,
    levels.customer_id,
    levels.band as relationship_level,
    cells.next_band as next_relationship_level,
    lenses.indicator as segment_by,
    segments.band as segment,
    cast(sizes.value as bigint) as segment_customer_count,
    sizes.band as segment_size,
    margins.band as margin_level,
    levels.policy_version
from {{ ref('customer_bands') }} as levels
inner join {{ ref('stg_run__dates') }} as dates on levels.as_of_date = dates.as_of_date
inner join {{ ref('policy_matrices') }} as cells
    on levels.policy_version = cells.policy_version
    and levels.lens = cells.lens
inner join {{ ref('customer_bands') }} as sizes
    on levels.as_of_date = sizes.as_of_date
    and levels.customer_id = sizes.customer_id
    and cells.row_lens = sizes.lens
    and cells.row_band = sizes.band
inner join {{ ref('customer_bands') }} as margins
    on levels.as_of_date = margins.as_of_date
    and levels.customer_id = margins.customer_id
    and cells.column_lens = margins.lens
    and cells.column_band = margins.band
inner join {{ ref('policy_lenses') }} as lenses
    on sizes.policy_version = lenses.policy_version
    and sizes.lens = lenses.lens
inner join {{ ref('customer_bands') }} as segments
    on levels.as_of_date = segments.as_of_date
    and levels.customer_id = segments.customer_id
    and lenses.indicator = segments.lens
where levels.lens = 'relationship_level'
    and dates.is_release_date
    and not levels.is_defaulted
    and not sizes.is_defaulted
    and not margins.is_defaulted
    and not segments.is_defaulted
