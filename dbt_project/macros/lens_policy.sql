{#- The policy rows of lenses that read the bands of others. The first are selects of CTEs of int_customers__judged, which has the
    CTEs numbered, readers and bands. -#}

{#- The cells of the matrices, each with the score of its band. -#}
{% macro cells_of_matrices() %}
select
    readers.lens_number, readers.stage, row_bands.lens_number as row_lens, row_bands.band_number as row_band,
    column_bands.lens_number as column_lens, column_bands.band_number as column_band, bands.band_number, bands.score
from {{ ref('policy_matrices') }} as cells
inner join readers on cells.policy_version = readers.policy_version and cells.lens = readers.lens
inner join bands on readers.lens_number = bands.lens_number and cells.band = bands.band
inner join bands as row_bands
    on cells.policy_version = row_bands.policy_version and cells.row_lens = row_bands.lens and cells.row_band = row_bands.band
inner join bands as column_bands
    on cells.policy_version = column_bands.policy_version and cells.column_lens = column_bands.lens
    and cells.column_band = column_bands.band
{% endmacro %}

{#- The two lenses that a matrix crosses. -#}
{% macro sides_of_matrices() %}
select lens_number, stage, row_lens as part, true as is_row from cells
union
select lens_number, stage, column_lens as part, false as is_row from cells
{% endmacro %}

{#- The bands of what worst and best lenses read, with how many of the parts they cannot do without. The largest place counts: it
    is the rank of the band, below zero where the best counts. -#}
{% macro bands_of_parts() %}
select
    parts.lens_number, parts.stage, parts.is_required, parts.required_count, bands.lens_number as part, bands.band_number,
    case when parts.method = 'best' then -bands.band_rank else bands.band_rank end as place
from (
    select
        readers.lens_number, readers.stage, readers.method, parts.policy_version, parts.part, parts.is_required,
        sum(case when parts.is_required then 1 else 0 end) over (partition by readers.lens_number) as required_count
    from {{ ref('policy_parts') }} as parts
    inner join readers on parts.policy_version = readers.policy_version and parts.lens = readers.lens
) as parts
inner join bands on parts.policy_version = bands.policy_version and parts.part = bands.lens
{% endmacro %}

{#- What weighted lenses read. A factor without a band counts as its fallback, which stands in the points and weight of all of
    them until a band replaces it; or it drops out (renormalise), so that its weight joins only with a band. -#}
{% macro weights_of_factors() %}
select
    factors.lens_number, factors.stage, factors.part, factors.weight, factors.stand_in_score,
    case when factors.drops_out then factors.weight else 0 end as joining_weight,
    sum(factors.stand_in_score * factors.weight) over lens as standing_points,
    sum(case when factors.drops_out then 0 else factors.weight end) over lens as standing_weight
from (
    select
        readers.lens_number, readers.stage, numbered.lens_number as part, weights.weight,
        numbered.on_missing = 'renormalise' as drops_out,
        case when numbered.on_missing = 'renormalise' then 0 else numbered.fallback_score end as stand_in_score
    from {{ ref('policy_weights') }} as weights
    inner join readers on weights.policy_version = readers.policy_version and weights.target = readers.lens
    inner join numbered on weights.policy_version = numbered.policy_version and weights.factor = numbered.lens
    where readers.method = 'weighted'
) as factors
window lens as (partition by factors.lens_number)
{% endmacro %}

{#- What lenses that count the customers of a band read. -#}
{% macro counted_lenses() %}
select readers.lens_number, readers.stage, numbered.lens_number as part
from readers
inner join numbered on readers.policy_version = numbered.policy_version and readers.indicator = numbered.lens
where readers.method = 'count'
{% endmacro %}

{#- The lenses that those of a stage read. -#}
{% macro parts_read() %}
select stage, part from sides
union
select stage, part from parts
union
select stage, part from factors
union
select stage, part from counts
{% endmacro %}

{#- Version and name of every lens that counts for the tier. -#}
{% macro weighing_lenses() -%}
select policy_version, factor from {{ ref('policy_weights') }} where target = 'tier'
{%- endmacro %}

{#- Which lens reads the bands of which other, and by what method that is. -#}
{% macro lenses_read() -%}
select policy_version, lens, row_lens as part, 'matrix' as method from {{ ref('policy_matrices') }}
union
select policy_version, lens, column_lens as part, 'matrix' as method from {{ ref('policy_matrices') }}
union
select policy_version, lens, part, 'worst or best' as method from {{ ref('policy_parts') }}
union
select weights.policy_version, weights.target as lens, weights.factor as part, 'weighted' as method
from {{ ref('policy_weights') }} as weights
inner join {{ ref('policy_lenses') }} as lenses
    on weights.policy_version = lenses.policy_version and weights.target = lenses.lens and lenses.method = 'weighted'
union
select policy_version, lens, indicator as part, 'count' as method
from {{ ref('policy_lenses') }}
where method = 'count'
    and indicator is not null
{%- endmacro %}

{#- Every band that a lens can find, with the segments, which are those of RFM. -#}
{% macro bands_by_name() -%}
select policy_version, lens, band from {{ ref('policy_bands') }}
union all
select policy_version, lens, segment as band from {{ ref('policy_rfm_segments') }}
{%- endmacro %}
