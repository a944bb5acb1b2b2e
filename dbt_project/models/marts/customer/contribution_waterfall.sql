{#- From gross sales to contribution (消费贡献) over the policy's year. Parts carry their sign, so that every subtotal is
    the sum of the parts above it. What no source delivers yet is a step without an amount, and the last subtotal is
    named after what it still lacks. A view: the steps of a customer are one row of sums, spelled out when a release is written. -#}
{{ config(materialized='view') }}
{%- set steps = [
    ('gross_sales', 'gross_amount', false, 'Gross sales', '毛销售额'),
    ('discounts', '-discount_amount', false, 'Discounts', '折扣'),
    ('conversion_rounding', 'net_amount + returned_amount - gross_amount + discount_amount', false,
        'Rounding of converted amounts', '换算尾差'),
    ('net_before_returns', 'net_amount + returned_amount', true, 'Net sales before returns', '退货前净销售额'),
    ('returns', '-returned_amount', false, 'Returns', '退货'),
    ('net_sales', 'net_amount', true, 'Net sales', '净销售额'),
    ('sales_of_unknown_cost', '-costless_amount', false, 'Less net sales whose cost is unknown', '成本未知的净销售额'),
    ('cost_of_goods', 'margin_amount + costless_amount - net_amount', false, 'Cost of goods', '销售成本'),
    ('gross_margin', 'margin_amount', true, 'Gross margin where the cost is known', '毛利'),
    ('cost_to_serve', none, false, 'Cost to serve', '服务成本'),
    ('bad_debt', none, false, 'Bad debt', '坏账'),
    ('contribution_before_service_and_bad_debt', 'margin_amount', true,
        'Net contribution before cost to serve and bad debt', '净贡献（未扣服务成本与坏账）'),
] -%}

with release as (

    select as_of_date from {{ ref('stg_run__dates') }} where is_release_date

),

totals as (

    select
        release.as_of_date,
        windowed.customer_id,
        windowed.gross_amount_365d as gross_amount,
        windowed.discount_amount_365d as discount_amount,
        windowed.net_amount_365d as net_amount,
        windowed.returned_amount_365d as returned_amount,
        windowed.margin_amount_365d as margin_amount,
        windowed.costless_amount_365d as costless_amount
    from {{ ref('int_customers__windowed') }} as windowed
    inner join release on windowed.valid_from <= release.as_of_date and windowed.valid_to > release.as_of_date
    where windowed.gross_amount_365d <> 0
        or windowed.net_amount_365d <> 0
        or windowed.returned_amount_365d <> 0
        or windowed.margin_amount_365d <> 0
        or windowed.costless_amount_365d <> 0

),

steps as (

{%- for step, amount, is_subtotal, label_en, label_zh in steps %}
    select
        cast({{ loop.index }} as bigint) as step_number, '{{ step }}' as step, {{ is_subtotal | lower }} as is_subtotal,
        '{{ label_en }}' as label_en, '{{ label_zh }}' as label_zh
    {% if not loop.last %}union all{% endif %}
{%- endfor %}

)

select
    totals.as_of_date,
    coalesce(totals.customer_id, 'unattributed') as customer_key,
    totals.customer_id,
    steps.step_number,
    steps.step,
    steps.is_subtotal,
    steps.label_en,
    steps.label_zh,
    case steps.step
{%- for step, amount, is_subtotal, label_en, label_zh in steps if amount %}
        when '{{ step }}' then {{ money(amount) }}
{%- endfor %}
    end as amount,
    case when steps.step in (
{%- for step, amount, is_subtotal, label_en, label_zh in steps if not amount %}'{{ step }}'{{ ', ' if not loop.last }}{% endfor -%}
    ) then 'not delivered' end as reason
from totals
cross join steps
