{{ config(meta={
    'dagster': {'ref': {'name': 'policy_matrices'}},
    'expected': 'a cell for each pair of bands of the two lenses, naming a band of the matrix; the two are no matrices themselves',
    'mend': 'add the cell, or correct its names',
}) }}
-- Every pair of a row's and a column's band has a cell, every cell names a band of the matrix, and a matrix reads lenses that
-- are not matrices themselves.
with matrices as (

    select distinct cells.policy_version, cells.lens, cells.row_lens, cells.column_lens
    from {{ ref('policy_matrices') }} as cells

),

bands as (

    select policy_version, lens, band from {{ ref('policy_bands') }}

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

)

select
    coalesce(expected.policy_version, cells.policy_version) as policy_version,
    coalesce(expected.lens, cells.lens) as lens,
    coalesce(expected.row_band, cells.row_band) as row_band,
    coalesce(expected.column_band, cells.column_band) as column_band,
    null as row_lens,
    null as column_lens
from expected
full join cells
    on expected.policy_version = cells.policy_version
    and expected.lens = cells.lens
    and expected.row_band = cells.row_band
    and expected.column_band = cells.column_band
where expected.lens is null
    or cells.lens is null

union all

select policy_version, lens, null as row_band, null as column_band, null as row_lens, null as column_lens
from {{ ref('policy_lenses') }}
where (method = 'matrix') <> ((policy_version, lens) in (select policy_version, lens from matrices))

union all

select
    matrices.policy_version, matrices.lens, null as row_band, null as column_band, matrices.row_lens, matrices.column_lens
from matrices
inner join {{ ref('policy_lenses') }} as lenses
    on matrices.policy_version = lenses.policy_version
    and lenses.lens in (matrices.row_lens, matrices.column_lens)
where lenses.method = 'matrix'
