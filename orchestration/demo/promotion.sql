-- Campaigns and events. One chosen customer in eight is left alone, so that what a campaign does can be told.
create table touch as
with campaigns (campaign_no, campaign, channel, sent_on, share, fee, pull) as (
    values
    (1, 'C2024-SPRING', 'mail', date '2024-03-06', 0.30, 0.20, 0.05), (2, 'C2024-TOOLS', 'sms', date '2024-06-12', 0.25, 0.06, 0.04),
    (3, 'C2024-AUTUMN', 'mail', date '2024-09-11', 0.30, 0.20, 0.06), (4, 'C2024-YEAREND', 'call', date '2024-12-10', 0.12, 8.00, 0.16),
    (5, 'C2025-SPRING', 'wechat', date '2025-03-12', 0.30, 0.10, 0.07), (6, 'C2025-SAFETY', 'mail', date '2025-06-04', 0.25, 0.20, 0.04),
    (7, 'C2025-AUTUMN', 'wechat', date '2025-09-17', 0.35, 0.10, 0.08), (8, 'C2025-ELEVEN', 'sms', date '2025-11-07', 0.35, 0.06, 0.07),
    (9, 'C2025-YEAREND', 'call', date '2025-12-09', 0.12, 8.00, 0.16)
),

chosen as (
    select
        p * 10 + campaign_no as draw, p, mood, campaign, channel, sent_on, fee, pull,
        chance(draw, 'left alone') < 0.125 as is_control,
        not is_control and chance(draw, 'arrives') < 0.96 as arrives,
        arrives and chance(draw, 'opens') < 0.45 + 0.12 * mood as opens,
        opens and chance(draw, 'follows') < 0.4 as follows
    from party
    inner join mood using (p), campaigns
    where in_sales and kind <> 'internal' and sales_on < sent_on and chance(p * 10 + campaign_no, 'chosen') < share
        and crm_code(p) not in (select subject from consent where purpose = 'marketing' and not given)
)

select
    row_number() over (order by sent_on, draw) as touch_no,
    chosen.* exclude (mood),
    office_time(sent_on, draw, 'sent hour') as sent_at,
    -- Some buy without being asked, and that is what the control group tells.
    chance(draw, 'buys') < greatest(0, 0.03 + 0.02 * mood + case when follows then 3 * pull when opens then pull else 0 end) as buys,
    opens and chance(draw, 'had enough') < 0.02 as has_enough,
    least(sent_on + 1 + whole(draw, 'acts after', 9), getvariable('end_day')) as acted_on
from chosen
order by touch_no;

create table guest as
with occasions (event_no, event_code, kind_name, held_on, share) as (
    values
    (1, 'EV2024-01', '展会', date '2024-04-17', 0.10), (2, 'EV2024-02', '培训', date '2024-08-21', 0.06),
    (3, 'EV2024-03', '论坛', date '2024-11-06', 0.05), (4, 'EV2025-01', '线上研讨', date '2025-03-19', 0.08),
    (5, 'EV2025-02', '展会', date '2025-05-14', 0.10), (6, 'EV2025-03', '培训', date '2025-08-20', 0.06),
    (7, 'EV2025-04', '论坛', date '2025-10-22', 0.05), (8, 'EV2025-05', '线上研讨', date '2025-12-03', 0.08)
)

select
    event_code, p, kind_name, held_on,
    least(working_day(held_on - 6 - whole(p * 10 + event_no, 'registers', 30)), held_on) as registered_on,
    office_time(registered_on, p * 10 + event_no, 'registered hour') as registered_at,
    chance(p * 10 + event_no, 'comes') < 0.72 + 0.1 * mood as comes
from party
inner join mood using (p), occasions
where in_sales and kind <> 'internal' and sales_on < held_on - 40 and chance(p * 10 + event_no, 'interested') < share * exp(0.5 * mood)
order by event_code, p;
