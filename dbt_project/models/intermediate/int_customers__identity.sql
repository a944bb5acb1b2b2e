{#- Which account belongs to which customer on each as-of date. Accounts that share a key, directly or through others,
    are one customer; its id is the hash of its anchor: the account known first (ties: family, system, code). Labels
    spread along keys a fixed number of rounds, with no recursion; a test holds that they have settled. -#}
{%- set rounds = 6 %}

with accounts as (

    select
        dates.as_of_date,
        accounts.source_system,
        accounts.source_id,
        accounts.family,
        accounts.kind,
        first_known.first_known_at
    from {{ ref('int_accounts__unioned') }} as accounts
    inner join {{ ref('stg_run__dates') }} as dates
        on accounts.known_from <= dates.known_at
        and accounts.known_to > dates.known_at
    inner join (
        select source_system, source_id, family, min(known_from) as first_known_at
        from {{ ref('int_accounts__unioned') }}
        group by source_system, source_id, family
    ) as first_known
        on accounts.source_system = first_known.source_system
        and accounts.source_id = first_known.source_id
        and accounts.family = first_known.family

),

keys as (

    select as_of_date, source_system, source_id, shared_key, rule from {{ ref('int_account_keys__shared') }}

),

-- The label sorts as the anchor rule does; the smallest label of a cluster is its anchor's.
labels_0 as (

    select
        as_of_date, source_system, source_id,
        cast({{ utc_text('first_known_at') }} as varchar)
        || '|' || {{ family_order('family') }}
        || '|' || source_system || '|' || source_id as label
    from accounts

),
{% for round in range(rounds) %}
key_labels_{{ round }} as (

    select keys.as_of_date, keys.shared_key, min(labels.label) as label
    from keys
    inner join labels_{{ round }} as labels
        on keys.as_of_date = labels.as_of_date
        and keys.source_system = labels.source_system
        and keys.source_id = labels.source_id
    group by keys.as_of_date, keys.shared_key

),

labels_{{ round + 1 }} as (

    select
        labels.as_of_date, labels.source_system, labels.source_id,
        least(labels.label, coalesce(min(key_labels.label), labels.label)) as label
    from labels_{{ round }} as labels
    left join keys
        on labels.as_of_date = keys.as_of_date
        and labels.source_system = keys.source_system
        and labels.source_id = keys.source_id
    left join key_labels_{{ round }} as key_labels
        on keys.as_of_date = key_labels.as_of_date
        and keys.shared_key = key_labels.shared_key
    group by labels.as_of_date, labels.source_system, labels.source_id, labels.label

),
{% endfor %}
rules as (

    select as_of_date, source_system, source_id, min(rule) as rule
    from keys
    group by as_of_date, source_system, source_id

),

clusters as (

    select as_of_date, label, count(*) as account_count
    from labels_{{ rounds }}
    group by as_of_date, label

)

select
    accounts.as_of_date,
    accounts.source_system,
    accounts.source_id,
    accounts.family,
    accounts.kind,
    {{ short_hash('labels.label') }} as customer_id,
    labels.label = labels_0.label as is_anchor,
    coalesce(rules.rule, 'none') as rule,
    clusters.account_count,
    accounts.first_known_at
from accounts
inner join labels_{{ rounds }} as labels
    on accounts.as_of_date = labels.as_of_date
    and accounts.source_system = labels.source_system
    and accounts.source_id = labels.source_id
inner join labels_0
    on accounts.as_of_date = labels_0.as_of_date
    and accounts.source_system = labels_0.source_system
    and accounts.source_id = labels_0.source_id
inner join clusters
    on labels.as_of_date = clusters.as_of_date
    and labels.label = clusters.label
left join rules
    on accounts.as_of_date = rules.as_of_date
    and accounts.source_system = rules.source_system
    and accounts.source_id = rules.source_id
