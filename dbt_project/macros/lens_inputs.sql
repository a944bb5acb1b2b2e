{#- What lenses in force ask for of each customer. Each macro is the select of a CTE of customer_bands, which has the CTE
    lenses: those in force, by as-of date. -#}

{#- A figure by its name, for each customer whom a lens in force asks for it; by name, so that what no lens asks for is
    never read. ``name`` is SQL where it depends on the row. What is shown of a private one is nothing. -#}
{% macro asked_for(relation, column, type, name=none, is_private=false) -%}
select
    told.as_of_date, told.customer_id, lenses.lens, lenses.method, lenses.policy_version,
    cast(told.{{ column }} as {{ type }}) as figure,
    cast({{ 'null' if is_private else 'told.' ~ column }} as {{ type }}) as value
from {{ relation }} as told
inner join lenses on told.as_of_date = lenses.as_of_date
where lenses.indicator = {{ name or "'" ~ column ~ "'" }}
    and told.{{ column }} is not null
{%- endmacro %}

{% macro measured_figures() -%}
{%- for column in cut_indicators() %}
{{ asked_for(ref('customer_indicators'), column, 'decimal(28, 6)') }}
union all
{%- endfor %}
{%- for column in private_figures() %}
{{ asked_for(ref('int_customers__private'), column, 'decimal(28, 6)', is_private=true) }}
union all
{%- endfor %}
{%- for column in cut_scores() %}
{{ asked_for(ref('customer_scores'), column, 'decimal(28, 6)', "'" ~ column ~ "_' || cast(told.horizon_days as varchar) || 'd'") }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- How many customers have a smaller figure, of how many. -#}
{% macro ranked_figures() %}
select
    as_of_date, customer_id, lens, policy_version, value,
    rank() over (partition by as_of_date, lens order by figure) - 1 as customers_below,
    count(*) over (partition by as_of_date, lens) as customer_count
from measured
where method = 'rank'
{% endmacro %}

{% macro told_attributes() -%}
{%- for column in label_attributes() %}
{{ asked_for(ref('customer_indicators'), column, 'varchar') }}
union all
{%- endfor %}
{%- for column in private_attributes() %}
{{ asked_for(ref('int_customers__private'), column, 'varchar', is_private=true) }}
union all
{%- endfor %}
{%- for column in lifecycle_attributes() %}
{{ asked_for(ref('customer_lifecycle'), column, 'varchar') }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- The lenses that those of a stage read. -#}
{% macro parts_read() %}
select read.policy_version, read.part, readers.stage
from ({{ lenses_read() }}) as read
inner join readers on read.policy_version = readers.policy_version and read.lens = readers.lens
{% endmacro %}

{#- The cells of the matrices, each with the score of its band. -#}
{% macro cells_of_matrices() %}
select
    cells.policy_version, cells.lens, readers.stage, cells.row_lens, cells.row_band, cells.column_lens, cells.column_band,
    cells.band, bands.score
from {{ ref('policy_matrices') }} as cells
inner join readers on cells.policy_version = readers.policy_version and cells.lens = readers.lens
inner join bands on cells.policy_version = bands.policy_version and cells.lens = bands.lens and cells.band = bands.band
{% endmacro %}

{#- The two lenses that a matrix crosses. -#}
{% macro sides_of_matrices() %}
select policy_version, lens, stage, row_lens as part, true as is_row from cells
union
select policy_version, lens, stage, column_lens as part, false as is_row from cells
{% endmacro %}

{#- The ranks of the bands of what worst and best lenses read, with how many of the parts they cannot do without. -#}
{% macro bands_of_parts() %}
select
    parts.policy_version, parts.lens, parts.stage, parts.method, parts.part, parts.is_required, parts.required_count,
    bands.band, bands.band_rank
from (
    select
        parts.policy_version, parts.lens, readers.stage, readers.method, parts.part, parts.is_required,
        sum(case when parts.is_required then 1 else 0 end) over (partition by parts.policy_version, parts.lens) as required_count
    from {{ ref('policy_parts') }} as parts
    inner join readers on parts.policy_version = readers.policy_version and parts.lens = readers.lens
) as parts
inner join bands on parts.policy_version = bands.policy_version and parts.part = bands.lens
{% endmacro %}

{#- What weighted lenses read. A factor without a band counts as its fallback, which stands in the points and weight of all of
    them until a band replaces it; or it drops out (renormalise), so that its weight joins only with a band. -#}
{% macro weights_of_factors() %}
select
    factors.policy_version, factors.lens, factors.stage, factors.factor, factors.weight, factors.stand_in_score,
    case when factors.drops_out then factors.weight else 0 end as joining_weight,
    sum(factors.stand_in_score * factors.weight) over lens as standing_points,
    sum(case when factors.drops_out then 0 else factors.weight end) over lens as standing_weight
from (
    select
        weights.policy_version, weights.target as lens, readers.stage, weights.factor, weights.weight,
        lenses_read.on_missing = 'renormalise' as drops_out,
        case when lenses_read.on_missing = 'renormalise' then 0 else lenses_read.fallback_score end as stand_in_score
    from {{ ref('policy_weights') }} as weights
    inner join readers on weights.policy_version = readers.policy_version and weights.target = readers.lens
    inner join {{ ref('policy_lenses') }} as lenses_read
        on weights.policy_version = lenses_read.policy_version
        and weights.factor = lenses_read.lens
    where readers.method = 'weighted'
) as factors
window lens as (partition by factors.policy_version, factors.lens)
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
