{{ config(meta={'dagster': {'ref': {'name': 'score_reasons'}}}) }}
-- Every score of the release date has its reasons, and they lead back to it: the probability from log-odds to a unit of its last
-- digit, the amount from its log to one of its own and a billionth. Only a champion's reasons are a sum; of any other rung there
-- is one, which names it, and one more where a shorter horizon says the score.
with explained as (

    select
        as_of_date, customer_id, horizon_days,
        sum(case when score_name = 'inactive_probability' then cast(contribution as double) end) as log_odds,
        sum(case when score_name = 'expected_net_amount' then cast(contribution as double) end) as log_amount,
        sum(case when factor <> 'shorter_horizon' then 1 else 0 end) as reason_count,
        count(distinct score_name) as score_count,
        min(case when factor <> 'shorter_horizon' then factor end) as factor
    from {{ ref('score_reasons') }}
    group by as_of_date, customer_id, horizon_days

)

select scores.as_of_date, scores.customer_id, scores.horizon_days
from {{ ref('customer_scores') }} as scores
inner join {{ ref('stg_run__dates') }} as dates on scores.as_of_date = dates.as_of_date
left join explained
    on scores.as_of_date = explained.as_of_date
    and scores.customer_id = explained.customer_id
    and scores.horizon_days = explained.horizon_days
where dates.is_release_date
    and case
        when scores.inactive_probability is null then explained.reason_count is not null
        when scores.rung <> 'champion' then
            coalesce(explained.factor <> scores.rung or explained.score_count <> explained.reason_count, true)
            or explained.log_odds is not null
            or explained.log_amount is not null
        else
            coalesce(abs(1 / (1 + exp(-explained.log_odds)) - scores.inactive_probability) > 0.000001, true)
            or coalesce(
                abs(exp(explained.log_amount) - scores.expected_net_amount)
                > 0.0001 + 0.000000001 * scores.expected_net_amount,
                true
            )
    end
