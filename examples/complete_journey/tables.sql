-- The Complete Journey: one row per product in a basket. Times are UTC without a zone: the file's weeks turn at 05:00
-- in winter and 04:00 in summer, midnight in New York. Discounts are positive; sales_value is what the grocer receives,
-- its own discounts (retail_disc, coupon_match_disc) taken off; coupon_disc is refunded to it by the manufacturer.
create view transactions as
select * from read_parquet(getvariable('folder') || '/transactions.parquet');

create view product as
select * from read_parquet(getvariable('folder') || '/products.parquet');

create view campaign as
select * from read_parquet(getvariable('folder') || '/campaign_descriptions.parquet');

create view campaign_household as
select * from read_parquet(getvariable('folder') || '/campaigns.parquet');

create view coupon_redemption as
select * from read_parquet(getvariable('folder') || '/coupon_redemptions.parquet');

-- Days are the file's own (UTC), for so the published figures were computed; the extracts send the shop's local time.
create table purchases as
select
    cast(household_id as varchar) as customer_id,
    cast(transaction_timestamp as date) as purchase_date,
    sum(cast(sales_value as decimal(18, 4))) as net_amount,
    cast(null as decimal(18, 4)) as cost_amount
from transactions
group by all;
