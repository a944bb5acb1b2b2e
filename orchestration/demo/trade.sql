-- What customers order and send back. An order's number follows the time at which it was placed.
create table orders as
with lives as (
    select
        p, size, currency, country, kind, profile.frequency, profile.bend, profile.profile,
        greatest(sales_on, date '2023-01-01') as first_day,
        case
            when profile.profile <> 'fading' then getvariable('end_day')
            else least(getvariable('end_day'), greatest(sales_on + 60, getvariable('end_day') - 60 - whole(p, 'stopped', 420)))
        end as last_day
    from party
    inner join profile using (profile)
    where in_sales
),

counted as (
    select
        lives.*,
        least(900, greatest(1, floor(
            getvariable('orders_per_customer') * frequency * exp(0.55 * size) * (last_day - first_day + 30) / 1096
            + chance(p, 'orders')
        )))::integer as order_count
    from lives
),

placed as (
    select
        p * 1000 + k as draw,
        counted.* exclude (order_count, size, frequency, bend),
        pow((k + chance(p * 1000 + k, 'when')) / order_count, bend) as progress
    from counted, lateral (select unnest(range(order_count)) as k)
),

dated as (
    select
        placed.* exclude (first_day, last_day),
        first_day + floor(progress * (last_day - first_day + 1))::integer as plain_day,
        -- Seasonal buyers stock up before the Spring Festival and in autumn.
        case
            when profile <> 'seasonal' or chance(draw, 'in season') > 0.72 then plain_day
            when chance(draw, 'which season') < 0.5 then make_date(year(plain_day), 1, 1) + whole(draw, 'season day', 24)
            else make_date(year(plain_day), 9, 8) + whole(draw, 'season day', 50)
        end as wished_day,
        least(greatest(wished_day, first_day), last_day) as day
    from placed
),

-- Nobody orders during the Spring Festival and few in the first week of October; weekends are quiet.
worked as (
    select
        dated.* exclude (plain_day, wished_day, day),
        day + case
            when day between date '2023-01-21' and date '2023-01-27'
                or day between date '2024-02-10' and date '2024-02-17'
                or day between date '2025-01-28' and date '2025-02-04' then 8
            when month(day) = 10 and dayofmonth(day) <= 7 and chance(draw, 'holiday') < 0.8 then 8
            else 0
        end as open_day,
        least(
            case when chance(draw, 'weekend') < 0.85 then some_working_day(open_day, draw) else open_day end,
            getvariable('end_day')
        ) as ordered_on
    from dated
),

promised as (
    select
        worked.* exclude (open_day),
        -- A few orders come in by web at night: their local day is not their UTC day.
        ordered_on::timestamp + to_seconds(case
            when chance(draw, 'at night') < 0.05 then whole(draw, 'hour', 86400) else 30000 + whole(draw, 'hour', 34000)
        end) as ordered_at,
        chance(draw, 'fate') as fate,
        ordered_on + 4 + whole(draw, 'promise', 8) + case profile when 'project' then 14 else 0 end as promised_on,
        case when chance(draw, 'is late') < 0.12 then 1 + whole(draw, 'late days', 9) else -whole(draw, 'early days', 4) end as slip
    from worked
)

select
    row_number() over () as seq,
    p, draw, progress, currency, country, profile,
    ordered_on, ordered_at, promised_on,
    case when fate < 0.04 then 'CANC' when fate < 0.045 then 'DRAFT' when fate < 0.048 then 'TEST' when fate < 0.051 then 'OPEN' end
        as odd_end,
    case when fate < 0.04 then ordered_on + 1 + whole(draw, 'cancel day', 4) end as cancelled_on,
    case when fate >= 0.051 then ordered_on + case when chance(draw, 'confirmed') < 0.6 then 0 else 1 end end as confirmed_on,
    case when fate >= 0.051 then greatest(ordered_on + 1, promised_on + slip) end as fulfilled_on,
    case when kind = 'internal' then 'known' when chance(draw, 'reference') < 0.015 then 'cash'
        when chance(draw, 'reference') < 0.018 then 'typo' else 'known' end as reference,
    case when chance(draw, 'returns') < 0.115 and fate >= 0.051 then greatest(ordered_on + 1, promised_on + slip)
        + 3 + whole(draw, 'return day', 24) end as returned_on
from (from promised order by ordered_at, draw)
order by seq;

create table lines as
with drawn as (
    select
        orders.seq * 10 + line_no as line_key,
        orders.seq, orders.ordered_on, orders.currency, orders.p, orders.progress, orders.profile, orders.returned_on,
        case
            when chance(line_key, 'taste') < 0.42 then whole(orders.p, 'category 1', 8)
            when chance(line_key, 'taste') < 0.68 then whole(orders.p, 'category 2', 8)
            else whole(line_key, 'category', 8)
        end * 8 + 1 + whole(line_key, 'product', 8) as wanted_no,
        case when wanted_no > 62 and ordered_on < date '2025-11-01' then wanted_no - 2
            when wanted_no = 24 and ordered_on > date '2025-11-20' then 23 else wanted_no end as product_no
    from orders, lateral (select unnest(range(1, 2 + whole(orders.draw, 'lines', 5))) as line_no)
),

priced as (
    select
        drawn.* exclude (wanted_no, progress, profile),
        round(list_price::double * (1 + 0.02 * (year(ordered_on) - 2023))
            / case drawn.currency when 'CNY' then 1 when 'USD' then 7.15 else 7.8 end, 2)::decimal(9, 2) as price,
        1200 * profile.value * (1 + profile.drift * (progress - 0.5)) * exp(0.8 * party.size + 0.7 * bell(line_key, 'worth'))
            / list_price::double as wished,
        greatest(1, case when wished > 100 then round(wished, -1) else round(wished) end)::integer as quantity,
        -- Large customers bargain a little better; one line in seven is on offer.
        ([0, 0, 0, 2, 3, 5, 8][1 + least(6, greatest(0, floor(2.6 + 1.1 * party.size + 1.5 * bell(drawn.p, 'bargain'))))::integer]
            + case when chance(line_key, 'on offer') < 0.14 then 5 + whole(line_key, 'offer', 6) else 0 end) as percent_off,
        (1 - product.margin) * (1 + 0.06 * (chance(line_key, 'cost') - 0.5)) as cost_share
    from drawn
    inner join product using (product_no)
    inner join party using (p)
    inner join profile on profile.profile = drawn.profile
),

valued as (
    select
        priced.* exclude (wished),
        (price * quantity)::decimal(15, 2) as gross,
        round(gross * (percent_off / 100.0)::decimal(3, 2), 2)::decimal(15, 2) as discount,
        (gross - discount)::decimal(15, 2) as net
    from priced
)

select
    line_key, seq, p, ordered_on, currency, product_no, quantity, price, gross, discount, net,
    case currency when 'CNY' then round(net * 0.13, 2) else 0 end::decimal(15, 2) as tax,
    case when chance(line_key, 'cost known') >= 0.03 then round(gross::double * cost_share, 2) end::decimal(15, 2) as cost,
    returned_on,
    case when returned_on is null or chance(line_key, 'returned') > 0.5 then 0
        when chance(line_key, 'all of it') < 0.6 then quantity else (quantity + 1) // 2 end as back
from valued
order by line_key;
