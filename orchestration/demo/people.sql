-- The customers: one row per party of the real world, whichever of the systems knows it.
-- Parties 1..accounts are in the CRM, the rest in sales only. Every 40th is the head of a group.
create table party as
with drawn as (
    select
        p,
        p <= getvariable('accounts') as in_crm,
        p % 40 = 0 and p <= getvariable('accounts') as is_head,
        chance(p, 'kind') as kind_draw,
        whole(p, 'place', (select count(*) from place)) as place_slot,
        whole(p, 'industry', 12) as industry_slot,
        whole(p, 'profile', 100) as profile_slot,
        -- Bounded above: one giant must not decide the shares of a small demo.
        least(bell(p, 'size'), 2.9) as size
    from range(1, getvariable('parties')::bigint + 1) as parties (p)
),

kinds as (
    select
        drawn.*,
        case
            when p <= 2 then 'internal'
            when is_head then 'company'
            when kind_draw < 0.03 then 'person'
            when kind_draw < 0.075 then 'distributor'
            else 'company'
        end as kind,
        in_crm and p > 2 and not is_head and chance(p, 'prospect') < 0.12 as is_prospect
    from drawn
),

placed as (
    select
        kinds.* exclude (place_slot, industry_slot, profile_slot, kind_draw),
        place.* exclude (slot),
        industry.industry_code,
        industry.trade_word,
        case when is_head or p <= 2 then 'steady' when is_prospect then 'prospect' else profile.profile end as profile,
        case
            when in_crm and kind = 'company' and not is_head and chance(p, 'parent') < 0.088
                then 40 * (1 + whole(p, 'which parent', getvariable('accounts') // 40))
        end as parent
    from kinds
    -- Persons and our own companies are at home.
    inner join place on place.slot = case when kind in ('person', 'internal') then place_slot % 86 else place_slot end
    inner join industry on industry.slot = industry_slot
    inner join profile on profile_slot >= profile.slot_from and profile_slot < profile.slot_to
),

named as (
    select
        placed.*,
        -- Members of a group share its brand.
        pick(getvariable('brand_first'), coalesce(parent, p), 'brand 1')
        || pick(getvariable('brand_second'), coalesce(parent, p), 'brand 2')
        || pick(getvariable('brand_third'), coalesce(parent, p), 'brand 3') as brand,
        pick(getvariable('surnames'), p, 'surname') || pick(getvariable('given_names'), p, 'given') as person_name,
        pick(getvariable('overseas_names'), coalesce(parent, p), 'overseas brand')
        || ' ' || city || ' ' || pick(getvariable('overseas_trades'), p, 'overseas trade') as overseas_name,
        credit_body(place_code, p) as credit_body,
        case country when 'DE' then ' GmbH' when 'IT' then ' S.r.l.' when 'FR' then ' SARL' when 'US' then ' Inc.' else ' Ltd' end
            as overseas_form,
        -- Most customers are older than the history; some joined during it, the new ones in its last months.
        case
            when is_head or p <= 2 then date '2016-03-01' + whole(p, 'opened', 1800)
            when profile = 'new' then getvariable('end_day') - whole(p, 'opened', 170)
            when is_prospect then date '2022-01-01' + whole(p, 'opened', 1461)
            when chance(p, 'is old') < 0.72 then date '2016-01-01' + whole(p, 'opened', 2550)
            else date '2023-01-01' + whole(p, 'opened', 800)
        end as opened_on
    from placed
),

coded as (
    select
        named.*,
        case
            when kind = 'internal' then '本公司' || city || '分公司'
            when kind = 'person' then person_name
            when country <> 'CN' then overseas_name || overseas_form
            else city || brand || trade_word || case when kind = 'distributor' then '经销' else '' end || '有限公司'
        end as full_name,
        case
            when kind = 'person' then null
            when chance(p, 'placeholder tax id') < 0.005 then '000000000000000000'
            when country = 'CN' then credit_code(credit_body)
            else country || lpad((100000000 + hash(hash(p, 'vat', getvariable('seed'))) % 900000000)::varchar, 9, '0')
        end as true_tax_id,
        working_day(opened_on) as sales_on
    from named
)

select
    coded.* exclude (person_name, overseas_name, overseas_form, credit_body, opened_on),
    not is_prospect as in_sales,
    -- A private buyer pays at the counter and often has no account with finance.
    not is_prospect and not (kind = 'person' and chance(p, 'no debtor') < 0.5) as in_finance,
    least(
        case when is_prospect then sales_on else working_day(sales_on - (3 + whole(p, 'courtship', 60))) end,
        getvariable('end_day')
    ) as crm_on,
    1 + team + 5 * whole(p, 'owner', getvariable('owners') // 5) as owner_no,
    1 + team + 5 * whole(p, 'next owner', getvariable('owners') // 5) as next_owner_no,
    -- The CRM reviews one account in eight: owner, rating or tax id change on that day.
    case when chance(p, 'reviewed') < 0.125 then working_day(date '2024-10-01' + whole(p, 'review day', 455)) end as reviewed_on,
    -- Most cross-references are there from the first day, some are added late.
    case
        when chance(p, 'linked late') < 0.06 then greatest(sales_on, working_day(date '2025-06-01' + whole(p, 'link day', 212)))
        else sales_on
    end as linked_on,
    case when chance(p, 'limit reviewed') < 0.15 then working_day(date '2024-06-03' + whole(p, 'limit day', 570)) end as limit_on,
    [30, 45, 60][1 + whole(p, 'terms', 3)] as terms_days,
    -- How a debtor pays has next to nothing to do with its size.
    case
        when chance(p, 'payer') - 0.02 * size < 0.45 then 'prompt'
        when chance(p, 'payer') - 0.02 * size < 0.80 then 'normal'
        when chance(p, 'payer') - 0.02 * size < 0.955 then 'late'
        else 'hardly'
    end as payer
from coded
order by p;
