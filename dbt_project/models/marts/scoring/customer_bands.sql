{#- One shape for every lens, in three stages: lenses that judge a figure, a text or an evidence mart, and those that read the
    bands of lenses of a smaller stage. All but the evidence is policy rows. Whom a lens cannot judge has no row, unless it
    decides: then a fallback, flagged and with the reason; one that judges nobody on a date has none unless it weighs.
    Days before the last have what decides. -#}
with population as (

    select as_of_date, customer_id, order_count_365d from {{ ref('customer_indicators') }}

),

lenses as (

    select
        policy.as_of_date, lenses.*, deciding.lens is not null as is_deciding
    from {{ ref('policy_lenses') }} as lenses
    inner join {{ ref('int_policy__in_force') }} as policy on lenses.policy_version = policy.policy_version
    left join {{ ref('int_lenses__deciding') }} as deciding
        on lenses.policy_version = deciding.policy_version
        and lenses.lens = deciding.lens
    where policy.is_release_date or deciding.lens is not null

),

readers as (

    select policy_version, lens, stage, method, indicator
    from {{ ref('policy_lenses') }}
    where method in ({{ quoted(reading_methods()) }})

),

bands as (

    select policy_version, lens, band, band_rank, lower_bound, upper_bound, score from {{ ref('policy_bands') }}

),

read as ({{ parts_read() }}),
cells as ({{ cells_of_matrices() }}),
sides as ({{ sides_of_matrices() }}),
parts as ({{ bands_of_parts() }}),
factors as ({{ weights_of_factors() }}),
measured as ({{ measured_figures() }}),
told as ({{ told_attributes() }}),
ranked as ({{ ranked_figures() }}),

judged_1 as (

    {% for lens, mart, value, score, band in [
        ('rfm', ref('customer_rfm'), 'rfm_score', 'rfm_score', 'rfm_segment'),
        ('rfm_class', ref('customer_rfm'), 'rfm_score', 'rfm_score', 'rfm_class'),
        ('abc', ref('customer_abc'), 'share_before_rate', 'abc_score', 'abc_class'),
        ('lifecycle', ref('customer_lifecycle'), 'growth_rate', 'lifecycle_score', 'stage'),
        ('lead', ref('lead_grades'), 'null', 'lead_score', 'customer_grade'),
    ] %}
    select
        as_of_date, customer_id, '{{ lens }}' as lens, policy_version, {{ value }} as value, {{ score }} as score, {{ band }} as band
    from {{ mart }}
    where {{ band }} is not null

    union all
    {% endfor %}
    select measured.as_of_date, measured.customer_id, measured.lens, measured.policy_version, measured.value, bands.score, bands.band
    from measured
    inner join bands
        on measured.policy_version = bands.policy_version
        and measured.lens = bands.lens
        and {{ held('measured.figure') }}
    where measured.method = 'cut'

    union all

    select ranked.as_of_date, ranked.customer_id, ranked.lens, ranked.policy_version, ranked.value, bands.score, bands.band
    from ranked
    inner join bands
        on ranked.policy_version = bands.policy_version
        and ranked.lens = bands.lens
        and {{ held('ranked.customers_below', 'ranked.customer_count') }}

    union all

    select told.as_of_date, told.customer_id, told.lens, told.policy_version, null as value, bands.score, bands.band
    from told
    inner join {{ ref('policy_labels') }} as labels
        on told.policy_version = labels.policy_version
        and told.lens = labels.lens
        and told.figure = labels.label
    inner join bands
        on labels.policy_version = bands.policy_version
        and labels.lens = bands.lens
        and labels.band = bands.band
    where told.method = 'label'

),

{% for stage in reading_stages() %}
{{ judged_at(stage) }},
{% endfor %}

judged as ({{ judged_at_all_stages() }}),

deciding as ({{ deciding_lenses() }}),
judged_by as ({{ judged_by_deciding() }}),
standing_in as ({{ lenses_standing_in() }})

select
    as_of_date,
    customer_id,
    lens,
    cast(value as decimal(28, 6)) as value,
    cast(score as decimal(9, 4)) as score,
    band,
    false as is_defaulted,
    cast(null as varchar) as missing_input,
    cast(null as varchar) as reason,
    policy_version
from judged

union all

select
    population.as_of_date,
    population.customer_id,
    lenses.lens,
    null as value,
    cast(lenses.fallback_score as decimal(9, 4)) as score,
    lenses.fallback_band as band,
    true as is_defaulted,
    coalesce(lenses.indicator, lenses.fed_by) as missing_input,
    coalesce({{ unjudged_reason('lenses') }}, {{ unsold_reason('population') }}) as reason,
    lenses.policy_version
from population
inner join (select distinct as_of_date, word from deciding) as words on population.as_of_date = words.as_of_date
left join judged_by
    on population.as_of_date = judged_by.as_of_date
    and population.customer_id = judged_by.customer_id
    and words.word = judged_by.word
inner join standing_in as lenses
    on population.as_of_date = lenses.as_of_date
    and words.word = lenses.word
where coalesce(judged_by.bits & lenses.bit, 0) = 0
