-- What the grocer's two systems send. Times are the shop's clock. Demographics stay out: the contract has no column for
-- income, age and household of a customer without consent. Campaigns and coupons stay out: it has no table for them.
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
