{#- What int_customers__indicated holds, without the number. A view: its rows stand there. -#}
{{ config(materialized='view') }}
select
    {{ model.columns | join(',\n    ') }}
from {{ ref('int_customers__indicated') }}
