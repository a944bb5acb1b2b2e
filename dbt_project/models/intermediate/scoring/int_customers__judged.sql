{#- What every lens makes of every customer, in three stages: lenses that judge a figure, a text or an evidence mart, and those that
    read the bands of lenses of a smaller stage. All but the evidence is policy rows. Whom a lens cannot judge has no row, unless
    it decides: then a fallback, flagged; one that judges nobody on a date has none unless it weighs. Days before the last have
    what decides. Keyed by numbers: customer_bands says the names. -#}
with numbered as (

    select
        lens_number, policy_version, lens, stage, method, indicator, on_missing, fallback_band, fallback_score,
        is_deciding, is_weighing
    from {{ ref('int_lenses__numbered') }}

),

lenses as (

    select policy.as_of_date, numbered.*
    from numbered
    inner join {{ ref('int_policy__in_force') }} as policy on numbered.policy_version = policy.policy_version
    where policy.is_release_date or numbered.is_deciding

),

{% for method in asking_methods() %}
{{ method }}_lenses as (select * from lenses where method = '{{ method }}'),
{% endfor %}
readers as (

    select lens_number, policy_version, lens, stage, method, indicator
    from numbered
    where method in ({{ quoted(reading_methods()) }})

),

bands as (

    select
        bands.lens_number, bands.band_number, bands.band, bands.band_rank, bands.score,
        {{ bounds_of_bands() }},
        numbered.policy_version, numbered.lens
    from {{ ref('int_bands__numbered') }} as bands
    inner join numbered on bands.lens_number = numbered.lens_number
    where bands.is_ruled

),

cells as ({{ cells_of_matrices() }}),
sides as ({{ sides_of_matrices() }}),
parts as ({{ bands_of_parts() }}),
factors as ({{ weights_of_factors() }}),
counts as ({{ counted_lenses() }}),
read as ({{ parts_read() }}),
measured as ({{ measured_figures('cut') }}),
ranked as ({{ ranked_figures() }}),
told as ({{ told_attributes() }}),
evidence as ({{ evidence() }}),

judged_1 as (

    select measured.as_of_date, measured.customer_number, measured.lens_number, measured.value, bands.score, bands.band_number
    from (
        select as_of_date, customer_number, lens_number, figure, value from measured
        union all
        select as_of_date, customer_number, lens_number, figure, value from ranked
    ) as measured
    inner join bands
        on measured.lens_number = bands.lens_number
        and {{ held('measured.figure') }}

    union all

    select as_of_date, customer_number, lens_number, null as value, score, band_number from told

    union all

    select as_of_date, customer_number, lens_number, value, score, band_number from evidence

),

{% for stage in reading_stages() %}
{{ judged_at(stage) }},
{% endfor %}

deciding as ({{ deciding_lenses() }}),
judged_by as ({{ judged_by_deciding() }}),
standing_in as ({{ lenses_standing_in() }}),

population as (

    select as_of_date, customer_number, order_count_365d > 0 as has_order from {{ ref('int_customers__indicated') }}

)

select
    as_of_date,
    customer_number,
    lens_number,
    cast(value as decimal(28, 6)) as value,
    cast(score as decimal(9, 4)) as score,
    band_number,
    false as is_defaulted,
    cast(null as boolean) as has_order
from ({{ judged_at_all_stages() }}) as judged

union all

select
    population.as_of_date,
    population.customer_number,
    lenses.lens_number,
    null as value,
    cast(lenses.fallback_score as decimal(9, 4)) as score,
    lenses.band_number,
    true as is_defaulted,
    population.has_order
from population
inner join (select distinct as_of_date, word from deciding) as words on population.as_of_date = words.as_of_date
left join judged_by
    on population.as_of_date = judged_by.as_of_date
    and population.customer_number = judged_by.customer_number
    and words.word = judged_by.word
inner join standing_in as lenses
    on population.as_of_date = lenses.as_of_date
    and words.word = lenses.word
where coalesce(judged_by.bits & lenses.bit, 0) = 0
