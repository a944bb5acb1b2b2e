{#- The indicators that a tier or a stage of life rests on: those that deciding lenses judge, and those that RFM is made of. -#}
select lenses.policy_version, lenses.indicator
from {{ ref('policy_lenses') }} as lenses
inner join {{ ref('int_lenses__deciding') }} as deciding
    on lenses.policy_version = deciding.policy_version
    and lenses.lens = deciding.lens
where lenses.indicator is not null

union

select policy_version, indicator from {{ ref('policy_rfm_metrics') }}
