{#- Which account belongs to which customer on each as-of date, of the accounts matched anew. Accounts that share a key,
    directly or through others, are one customer; its id is the hash of its anchor: the account known first (ties:
    family, system, code). Accounts are numbered in that order once, so that the smallest number of a cluster is its
    anchor. Numbers spread along keys a fixed number of rounds, with no recursion; a test holds that they have settled. -#}
{%- set rounds = 6 %}

with first_known as (

    select accounts.source_system, accounts.source_id, accounts.family, min(accounts.known_from) as first_known_at
    from {{ ref('int_accounts__unioned') }} as accounts
    inner join {{ ref('int_accounts__rematched') }} as rematched
        on accounts.source_system = rematched.source_system
        and accounts.source_id = rematched.source_id
        and accounts.family = rematched.family
    group by accounts.source_system, accounts.source_id, accounts.family

),

numbered as (

    select
        source_system,
        source_id,
        family,
        first_known_at,
        row_number() over (
            order by first_known_at, {{ family_order('family') }}, source_system, source_id
        ) as account_number,
        {{ short_hash(
            utc_text('first_known_at') ~ " || '|' || " ~ family_order('family') ~ " || '|' || source_system || '|' || source_id"
        ) }} as customer_id
    from first_known

),

accounts as (

    select dates.as_of_date, numbered.account_number, accounts.kind
    from {{ ref('int_accounts__unioned') }} as accounts
    inner join {{ ref('stg_run__dates') }} as dates
        on accounts.known_from <= dates.known_at
        and accounts.known_to > dates.known_at
    inner join numbered
        on accounts.source_system = numbered.source_system
        and accounts.source_id = numbered.source_id
        and accounts.family = numbered.family

),

keys as (

    select
        keys.as_of_date,
        numbered.account_number,
        dense_rank() over (order by keys.shared_key) as key_number,
        keys.rule
    from {{ ref('int_account_keys__shared') }} as keys
    inner join numbered
        on keys.source_system = numbered.source_system
        and keys.source_id = numbered.source_id

),

-- Only accounts that share a key can change their number.
labels_0 as (

    select distinct as_of_date, account_number, account_number as label from keys

),
{% for round in range(rounds) %}
key_labels_{{ round }} as (

    select keys.as_of_date, keys.key_number, min(labels.label) as label
    from keys
    inner join labels_{{ round }} as labels
        on keys.as_of_date = labels.as_of_date
        and keys.account_number = labels.account_number
    group by keys.as_of_date, keys.key_number

),

labels_{{ round + 1 }} as (

    select keys.as_of_date, keys.account_number, min(key_labels.label) as label
    from keys
    inner join key_labels_{{ round }} as key_labels
        on keys.as_of_date = key_labels.as_of_date
        and keys.key_number = key_labels.key_number
    group by keys.as_of_date, keys.account_number

),
{% endfor %}
rules as (

    select as_of_date, account_number, min(rule) as rule
    from keys
    group by as_of_date, account_number

),

labelled as (

    select
        accounts.as_of_date,
        accounts.account_number,
        accounts.kind,
        coalesce(labels.label, accounts.account_number) as anchor_number,
        coalesce(rules.rule, 'none') as rule
    from accounts
    left join labels_{{ rounds }} as labels
        on accounts.as_of_date = labels.as_of_date
        and accounts.account_number = labels.account_number
    left join rules
        on accounts.as_of_date = rules.as_of_date
        and accounts.account_number = rules.account_number

),

clusters as (

    select as_of_date, anchor_number, count(*) as account_count
    from labelled
    group by as_of_date, anchor_number

)

select
    labelled.as_of_date,
    numbered.source_system,
    numbered.source_id,
    numbered.family,
    labelled.kind,
    anchors.customer_id,
    labelled.account_number = labelled.anchor_number as is_anchor,
    labelled.rule,
    clusters.account_count,
    numbered.first_known_at
from labelled
inner join numbered on labelled.account_number = numbered.account_number
inner join numbered as anchors on labelled.anchor_number = anchors.account_number
inner join clusters
    on labelled.as_of_date = clusters.as_of_date
    and labelled.anchor_number = clusters.anchor_number
