{#- How each factor of the tier score is judged: from scores of a model, from a ledger, by the place among others. -#}
select
    fed.policy_version, fed.factor,
    max(case when fed.is_scored then 1 else 0 end) = 1 as is_scored,
    max(case when fed.measure is not null then 1 else 0 end) = 1 as is_counted,
    max(case when lenses.method in ('rank', 'quantile', 'share', 'count') then 1 else 0 end) = 1 as is_relative
from {{ ref('int_factors__fed') }} as fed
inner join {{ ref('int_factors__read') }} as read
    on fed.policy_version = read.policy_version
    and fed.factor = read.factor
inner join {{ ref('policy_lenses') }} as lenses
    on read.policy_version = lenses.policy_version
    and read.lens = lenses.lens
group by fed.policy_version, fed.factor
