-- Ta-Feng: one row per product a customer bought on a day. AMOUNT is the number of pieces; ASSET (what they cost the
-- grocer) and SALES_PRICE are those of the whole row, in dollars of Taiwan. The file has no returns.
create table sale as
select
    row_number() over () as line,
    trim(CUSTOMER_ID) as customer_id,
    cast(strptime(TRANSACTION_DT, '%m/%d/%Y') as date) as sale_date,
    trim(AGE_GROUP) as age_group,
    trim(PIN_CODE) as pin_code,
    trim(PRODUCT_SUBCLASS) as product_subclass,
    trim(PRODUCT_ID) as product_id,
    cast(AMOUNT as integer) as pieces,
    cast(ASSET as decimal(18, 4)) as asset,
    cast(SALES_PRICE as decimal(18, 4)) as sales_price
from read_csv(getvariable('folder') || '/ta_feng_all_months_merged.csv', all_varchar = true, header = true);

create table purchases as
select customer_id, sale_date as purchase_date, sum(sales_price) as net_amount, sum(asset) as cost_amount
from sale
group by all;
