-- What the grocer's two systems send. The file knows days and no baskets: what a shopper bought on a day is one order.
-- Age groups stay out: the contract has no column for them. ASSET is finance's standard cost of the line.
create table shopper as
select customer_id, arg_min(pin_code, line) as pin_code, min(sale_date) as first_sale_date, min(sale_date) as sent_on
from sale
group by customer_id;

create view members_account as
from shopper;

create view tills_customer as
from shopper;

create table tills_order_line as
select
    strftime(sale_date, '%Y%m%d') || '-' || customer_id as order_id,
    order_id || '-' || row_number() over (partition by sale_date, customer_id order by line) as line_id,
    product_id,
    pieces,
    sales_price,
    asset,
    customer_id,
    sale_date,
    sale_date as sent_on
from sale;

create table tills_order as
select distinct order_id, customer_id, sale_date, sent_on
from tills_order_line;

create table tills_product as
select product_id, arg_min(product_subclass, line) as product_subclass, min(sale_date) as sent_on
from sale
group by product_id;
