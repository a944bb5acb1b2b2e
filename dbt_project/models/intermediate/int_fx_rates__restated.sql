{#- The rates of days before the decision before that became known otherwise since then, few or none: a table, so that the engine
    knows how few before it asks every fact whether its rate is among them. -#}
select distinct dates.as_of_date, fx.currency, fx.valid_date
from {{ ref('int_fx_rates__daily') }} as fx
inner join {{ ref('int_run_dates__compared') }} as dates
    on fx.known_from > dates.earlier_known_at
    and fx.known_from <= dates.known_at
    and fx.valid_date <= dates.earlier_date
