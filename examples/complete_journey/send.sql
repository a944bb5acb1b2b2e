-- What the grocer's three systems send. Times are the shop's clock. Demographics stay out: they are of class P3, and no
-- consent is known.
create table local_transaction as
select
    * exclude (transaction_timestamp),
    timezone('America/New_York', timezone('UTC', transaction_timestamp)) as transaction_timestamp
from transactions;

create table household as
select household_id, min(transaction_timestamp) as first_basket_at, cast(min(transaction_timestamp) as date) as sent_on
from local_transaction
group by household_id;

create view loyalty_account as
from household;

create view tills_customer as
from household;

create table tills_order as
select
    basket_id,
    any_value(household_id) as household_id,
    any_value(store_id) as store_id,
    min(transaction_timestamp) as transaction_timestamp,
    cast(min(transaction_timestamp) as date) as sent_on
from local_transaction
group by basket_id;

-- sales_value is what the grocer receives: its own discounts are off, the coupon of a manufacturer (coupon_disc) is
-- refunded. So the shelf's price is sales_value with the grocer's discounts added.
create table tills_order_line as
select
    basket_id || '-' || product_id as line_id,
    basket_id,
    product_id,
    quantity,
    cast(sales_value as decimal(18, 4)) as sales_value,
    cast(retail_disc as decimal(18, 4)) + cast(coupon_match_disc as decimal(18, 4)) as own_discount,
    cast(sales_value as decimal(18, 4)) + own_discount as shelf_value,
    cast(transaction_timestamp as date) as sent_on
from local_transaction;

create view tills_product as
select product_id, product_type, department, product_category, brand, date '2017-01-01' as sent_on
from product;

-- A campaign reaches its households on its first day, and again says of a household when that first redeems a coupon of
-- it; both on one day, or both before the first file, are one record.
create table campaigns_touch as
with touches as (
    select
        told.campaign_id || '-' || told.household_id as touch_id,
        told.campaign_id,
        told.household_id,
        campaign.campaign_type,
        cast(campaign.start_date as date) as start_date,
        cast(min(redeemed.redemption_date) as date) as redeemed_on
    from campaign_household as told
    inner join campaign using (campaign_id)
    left join coupon_redemption as redeemed using (campaign_id, household_id)
    group by all
)

select * exclude (redeemed_on), false as redeemed, start_date as sent_on
from touches
where redeemed_on is null or redeemed_on > greatest(start_date, date '2017-12-24')
union all
select * exclude (redeemed_on), true as redeemed, greatest(start_date, redeemed_on) as sent_on
from touches
where redeemed_on is not null;
