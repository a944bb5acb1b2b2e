-- CDNOW: one purchase a line, four columns set apart by spaces: customer, day, number of CDs, dollars.
-- Purchases have no number of their own; customer, day and place among that day's purchases name them.
create macro words_of(file, first_word) as table
select number as line, word[first_word] as customer_id, word[first_word + 1] as day, word[first_word + 2] as cds,
    word[first_word + 3] as dollars
from (
    select row_number() over () as number, string_split_regex(trim(text), '\s+') as word
    from read_csv(getvariable('folder') || '/' || file, columns = {'text': 'varchar'}, delim = '|', header = false)
)
where word[first_word] similar to '\d+';

create table purchase as
select
    customer_id,
    cast(strptime(day, '%Y%m%d') as date) as purchase_date,
    row_number() over (partition by customer_id, day order by line) as nth_of_day,
    cast(cds as integer) as cds,
    cast(dollars as decimal(18, 4)) as dollars
from words_of('CDNOW_master.txt', 1);

-- The published tenth: its first two columns are the number in the whole set and the one in the tenth.
create table sample_customer as
select distinct customer_id from words_of('CDNOW_sample.txt', 1);

create table purchases as
select customer_id, purchase_date, sum(dollars) as net_amount, cast(null as decimal(18, 4)) as cost_amount
from purchase
group by all;
