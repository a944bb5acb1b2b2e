{#- Which tables anybody had delivered by what is known on each as-of date: where nobody did, a count of nothing is
    unknown and not zero. -#}
select
    dates.as_of_date,
    {%- for family, entity in [
        ('crm', 'account'), ('crm', 'activity'), ('crm', 'opportunity'), ('sales', 'product'), ('sales', 'contract'),
        ('finance', 'writeoff'), ('finance', 'cost_to_serve'), ('service', 'case'), ('survey', 'response'),
        ('marketing', 'touch'), ('marketing', 'event'),
    ] %}
    coalesce(max(case when batches.family = '{{ family }}' and batches.entity = '{{ entity }}' then 1 else 0 end), 0) = 1
        as has_{{ family }}_{{ entity }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref('stg_run__dates') }} as dates
left join {{ ref('stg_run__batches') }} as batches on batches.known_at <= dates.known_at
group by dates.as_of_date
