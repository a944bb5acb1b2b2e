{{ config(meta={
    'dagster': {'ref': {'name': 'policy_parameters'}},
    'expected': 'tier_keep_margin, tier_dwell_days, tier_hold_days and tier_grace_days are 0 or more, days whole; tier_review_months is 0 or divides 12',
    'mend': 'change the value',
}) }}
-- Below zero a tier would be earned and not kept; days of review that do not divide a year would begin anew each January.
select policy_version, parameter, value
from {{ ref('policy_parameters') }}
where (parameter = 'tier_keep_margin' and not coalesce(value >= 0, false))
    or (
        parameter in ('tier_dwell_days', 'tier_hold_days', 'tier_grace_days')
        and not coalesce(value >= 0 and mod(value, 1) = 0, false)
    )
    or (
        parameter = 'tier_review_months'
        and not coalesce(value = 0 or (value >= 1 and mod(value, 1) = 0 and mod({{ months_of_a_year() }}, value) = 0), false)
    )
