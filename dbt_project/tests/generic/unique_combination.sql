{#- No two rows share the values of these columns; nulls are equal here. Hashes are counted first, and only rows that share
    one are compared: text is not kept a row. -#}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where {{ hash_of(columns) }} in (
    select {{ hash_of(columns) }} as row_hash
    from {{ model }}
    group by {{ hash_of(columns) }}
    having count(*) > 1
)
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
