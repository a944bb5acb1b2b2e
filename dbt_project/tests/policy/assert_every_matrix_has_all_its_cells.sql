{{ config(meta={
    'dagster': {'ref': {'name': 'policy_matrices'}},
    'expected': 'a cell for each pair of bands of the two lenses, naming a band of the matrix, and as next_band one or none',
    'mend': 'add the cell, or correct its names',
}) }}
-- Every pair of a row's and a column's band has a cell, every cell names a band of the matrix, and a matrix has two axes.
with matrices as (

    select distinct cells.policy_version, cells.lens, cells.row_lens, cells.column_lens
    from {{ ref('policy_matrices') }} as cells

),

bands as (
    {{ bands_by_name() }}
),

expected as (

    select matrices.policy_version, matrices.lens, row_bands.band as row_band, column_bands.band as column_band
    from matrices
    inner join bands as row_bands
        on matrices.policy_version = row_bands.policy_version
        and matrices.row_lens = row_bands.lens
    inner join bands as column_bands
        on matrices.policy_version = column_bands.policy_version
        and matrices.column_lens = column_bands.lens

),

cells as (

    select cells.policy_version, cells.lens, cells.row_band, cells.column_band
    from {{ ref('policy_matrices') }} as cells
    inner join bands
        on cells.policy_version = bands.policy_version
        and cells.lens = bands.lens
        and cells.band = bands.band
    left join bands as following
        on cells.policy_version = following.policy_version
        and cells.lens = following.lens
        and cells.next_band = following.band
    where cells.next_band is null
        or following.band is not null

)

select
    coalesce(expected.policy_version, cells.policy_version) as policy_version,
    coalesce(expected.lens, cells.lens) as lens,
    coalesce(expected.row_band, cells.row_band) as row_band,
    coalesce(expected.column_band, cells.column_band) as column_band
from expected
full join cells
    on expected.policy_version = cells.policy_version
    and expected.lens = cells.lens
    and expected.row_band = cells.row_band
    and expected.column_band = cells.column_band
where expected.lens is null
    or cells.lens is null

union all

select policy_version, lens, null as row_band, null as column_band
from matrices
group by policy_version, lens
having count(*) > 1
