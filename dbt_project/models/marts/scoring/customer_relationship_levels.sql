{#- The relationship level that the number of customers in a customer's segment and its margin ask for, and the level one cell to
    the left, to which the customer is to be moved, on the release date. A view: the bands stand in customer_bands. -#}
{{ config(materialized='view') }}
with cells as (

    select policy_version, row_lens, row_band, column_lens, column_band, next_band
    from {{ ref('policy_matrices') }}
    where lens = 'relationship_level'

),

roles as (

    select policy_version, 'relationship_level' as lens, 'level' as role from cells
    union
    select policy_version, row_lens as lens, 'size' as role from cells
    union
    select policy_version, column_lens as lens, 'margin' as role from cells
    union
    select cells.policy_version, lenses.indicator as lens, 'segment' as role
    from cells
    inner join {{ ref('policy_lenses') }} as lenses
        on cells.policy_version = lenses.policy_version
        and cells.row_lens = lenses.lens

),

judged as (

    select
        bands.as_of_date, bands.customer_id, bands.policy_version,
        max(case when roles.role = 'level' then bands.band end) as relationship_level,
        max(case when roles.role = 'segment' then bands.lens end) as segment_by,
        max(case when roles.role = 'segment' then bands.band end) as segment,
        max(case when roles.role = 'size' then bands.value end) as segment_customer_count,
        max(case when roles.role = 'size' then bands.band end) as segment_size,
        max(case when roles.role = 'margin' then bands.band end) as margin_level
    from {{ ref('customer_bands') }} as bands
    inner join roles
        on bands.policy_version = roles.policy_version
        and bands.lens = roles.lens
    where not bands.is_defaulted
        and bands.as_of_date in (select dates.as_of_date from {{ ref('stg_run__dates') }} as dates where dates.is_release_date)
    group by bands.as_of_date, bands.customer_id, bands.policy_version

)

select
    judged.as_of_date,
    judged.customer_id,
    judged.relationship_level,
    cells.next_band as next_relationship_level,
    judged.segment_by,
    judged.segment,
    cast(judged.segment_customer_count as bigint) as segment_customer_count,
    judged.segment_size,
    judged.margin_level,
    judged.policy_version
from judged
inner join cells
    on judged.policy_version = cells.policy_version
    and judged.segment_size = cells.row_band
    and judged.margin_level = cells.column_band
where judged.relationship_level is not null
    and judged.segment is not null
