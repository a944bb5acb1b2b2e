{#- The one place that says what each indicator means, what feeds it and when it is unknown. -#}
select
    indicator,
    sop_code,
    label_en,
    label_zh,
    definition_en,
    definition_zh,
    unit,
    window_name,
    null_policy,
    fed_by,
    is_private
from {{ ref('indicators') }}
