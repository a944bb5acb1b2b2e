-- What the shop's one system sends. It knows a customer by a number, since the day of the first purchase.
create table shop_customer as
select customer_id, min(purchase_date) as first_purchase_date, min(purchase_date) as sent_on
from purchase
group by customer_id;

create table shop_order as
select
    customer_id || '-' || strftime(purchase_date, '%Y%m%d') || '-' || nth_of_day as purchase_id,
    customer_id,
    purchase_date,
    cds,
    dollars,
    purchase_date as sent_on
from purchase;

create view shop_order_line as
from shop_order;
