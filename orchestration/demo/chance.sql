-- Chance that depends on the seed, the record and the purpose alone, never on threads or on the order of rows.
-- The outer hash matters: without it DuckDB combines by xor, and two seeds give almost the same numbers.
create macro chance(id, purpose) as
    (hash(hash(id, purpose, getvariable('seed'))) >> 11)::double / 9007199254740992.0;

create macro whole(id, purpose, below) as floor(chance(id, purpose) * below)::integer;

create macro pick(words, id, purpose) as words[1 + whole(id, purpose, len(words))];

-- Standard normal (Box and Muller 1958).
create macro bell(id, purpose) as
    sqrt(-2 * ln(greatest(chance(id, purpose || ' r'), 1e-12))) * cos(2 * pi() * chance(id, purpose || ' a'));

-- Offices are closed at the weekend: what falls on it happens on the Monday after.
create macro working_day(d) as
    d + case isodow(d) when 6 then 2 when 7 then 1 else 0 end;

-- What people do in their own time falls on any day of the week after, or the Monday would stand out.
create macro some_working_day(d, id) as
    d + case isodow(d) when 6 then 2 + whole(id, 'weekday', 5) when 7 then 1 + whole(id, 'weekday', 5) else 0 end;

create macro office_time(d, id, purpose) as
    d::timestamp + to_seconds(30600 + whole(id, purpose, 32400));

-- A day is told once in a delivery that covers (since, until].
create macro within(d, since_day, until_day) as d > since_day and d <= until_day;

-- Every system has codes of its own; multiplying by a prime keeps them unique and hides that they belong together.
create macro crm_code(p) as 'A' || lpad(p::varchar, 6, '0');
create macro sales_code(p) as 'C-' || (10000 + (p * 7919) % getvariable('parties'))::varchar;
create macro debtor_code(p) as lpad((1000 + (p * 104729) % getvariable('parties'))::varchar, 7, '0');
create macro owner_code(o) as 'E' || lpad(o::varchar, 4, '0');
create macro product_code(i) as 'SP-' || lpad(i::varchar, 4, '0');
create macro order_code(seq) as 'SO' || lpad(seq::varchar, 8, '0');
create macro line_code(line_key) as order_code(line_key // 10) || '-' || (line_key % 10)::varchar;
create macro invoice_code(seq) as
    case when seq > 0 then 'FP' || lpad(seq::varchar, 8, '0') else 'OB' || lpad((-seq)::varchar, 8, '0') end;
create macro payment_code(p, currency, paid_on) as
    'SK' || strftime(paid_on, '%y%m%d') || debtor_code(p) || left(currency, 1);

create macro shop_money(amount) as amount::decimal(18, 4);

-- Unified social credit code (GB 32100-2015): 17 characters and a check character, weights 3^i mod 31.
create macro credit_symbols() as '0123456789ABCDEFGHJKLMNPQRTUWXY';
create macro credit_body(place_code, p) as
    '91' || place_code || 'MA' || list_aggregate(
        list_transform(range(7), lambda i: substr(credit_symbols(), 1 + whole(p * 7 + i, 'credit code', 31), 1)), 'string_agg', ''
    );
create macro credit_code(body) as
    body || substr(credit_symbols(), 1 + (31 - list_sum(list_transform(
        [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28],
        lambda weight, i: weight * (strpos(credit_symbols(), substr(body, i, 1)) - 1)
    )) % 31)::integer % 31, 1);
