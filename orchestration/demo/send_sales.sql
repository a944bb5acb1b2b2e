-- What the ERP exports: English names, codes for states, amounts as positive decimals, local time without a zone.
create macro sales_customer(since_day, until_day) as table
select
    sales_code(p) as cust_code,
    case
        when kind <> 'company' or country <> 'CN' or chance(p, 'sales name') < 0.74 then full_name
        when chance(p, 'sales name') < 0.86 then city || brand || trade_word || '有限责任公司'
        when chance(p, 'sales name') < 0.94 then brand || trade_word || '（' || city || '）有限公司'
        else city || brand || trade_word
    end as cust_name,
    case kind when 'company' then 'B' when 'person' then 'C' when 'distributor' then 'D' else 'I' end as cust_type,
    case when chance(p, 'tax id in sales') < 0.80 then true_tax_id end as tax_no,
    country as country_code,
    case when in_crm and linked_on <= until_day and chance(p, 'crm reference') < 0.88 then crm_code(p) end as crm_code,
    office_time(sales_on, p, 'sales hour') as created_time
from party
where in_sales and sales_on <= until_day
    and (within(sales_on, since_day, until_day)
        or in_crm and within(linked_on, since_day, until_day) and chance(p, 'crm reference') < 0.88)
order by cust_code;

create macro sales_order(since_day, until_day) as table
select
    order_code(seq) as order_no,
    case reference when 'known' then sales_code(p) when 'typo' then replace(sales_code(p), 'C-', 'D-') end as cust_code,
    ordered_at as order_time,
    case
        when cancelled_on <= until_day then 'CANC'
        when odd_end in ('DRAFT', 'TEST') then odd_end
        when fulfilled_on <= until_day then 'SHIP'
        when confirmed_on <= until_day then 'CONF'
        else 'OPEN'
    end as order_status,
    case
        when country <> 'CN' then ['mail', 'mail', 'web'][1 + whole(draw, 'channel', 3)]
        else ['field', 'field', 'phone', 'web', 'counter'][1 + whole(draw, 'channel', 5)]
    end as sales_channel,
    case when country <> 'CN' then 'HK01' when p % 4 = 0 then 'CN02' else 'CN01' end as company_code,
    currency,
    promised_on as promised_date,
    case when fulfilled_on <= until_day then fulfilled_on end as delivered_date
from orders
where ordered_on <= until_day and (
    within(ordered_on, since_day, until_day) or within(confirmed_on, since_day, until_day)
    or within(fulfilled_on, since_day, until_day) or within(cancelled_on, since_day, until_day))
order by seq;

create macro sales_order_line(since_day, until_day) as table
select
    line_code(line_key) as line_key,
    (line_key % 10)::integer as line_no,
    order_code(seq) as order_no,
    product_code(product_no) as item_code,
    quantity::decimal(18, 4) as qty,
    price as unit_price,
    shop_money(gross) as list_value,
    shop_money(discount) as discount_value,
    shop_money(net) as net_value,
    shop_money(tax) as tax_value,
    shop_money(cost) as cost_value
from lines
where within(ordered_on, since_day, until_day)
order by lines.line_key;

create macro sales_return_line(since_day, until_day) as table
select
    'RT-' || line_code(line_key) as return_key,
    case when not is_orphan then line_code(line_key) end as source_line_key,
    sales_code(p) as cust_code,
    office_time(returned_on, line_key, 'return hour') as return_time,
    back::decimal(18, 4) as qty,
    shop_money(net_back) as net_value,
    shop_money(cost) as cost_value,
    currency,
    reason as return_reason
from returned
where within(returned_on, since_day, until_day)
order by returned.line_key;

create macro sales_product(since_day, until_day) as table
select
    product_code(product_no) as item_code,
    product_name as item_name,
    category_l1 as category,
    category_l2 as sub_category,
    brand,
    uom as unit,
    coalesce(dropped_on > until_day, true) as on_sale
from product
where launched_on <= until_day
    and (within(launched_on, since_day, until_day) or within(dropped_on, since_day, until_day))
order by product_no;

create macro sales_contract(since_day, until_day) as table
select
    contract_code as contract_no,
    sales_code(p) as cust_code,
    start_on as valid_from,
    end_on as valid_until,
    case when renewed_on <= until_day then next_code end as followed_by,
    monthly as monthly_value,
    currency,
    case when cancelled_on <= until_day then office_time(cancelled_on, p, 'cancel hour') end as cancelled_time,
    case when cancelled_on <= until_day then cancel_reason end as cancel_reason
from contract
where signed_on <= until_day and (within(signed_on, since_day, until_day) or within(renewed_on, since_day, until_day)
    or within(cancelled_on, since_day, until_day))
order by contract_no;
