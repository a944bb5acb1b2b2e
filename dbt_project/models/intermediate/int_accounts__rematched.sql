{#- The accounts whose customer is decided anew: those with another version since the date the run goes on from, those that
    share a key with them, and all accounts of the customers these belonged to. Nobody else can have moved: a key of
    theirs has the holders it had. Without such a date, every account. -#}
with accounts as (

    select
        source_system, source_id, family, own_key, cited_key, 'tax:' || tax_id as tax_key,
        {{ changed_since('as_of_known_at', 'accounts') }} as is_changed
    from {{ ref('int_accounts__unioned') }} as accounts

),

changed_keys as (

    select own_key as shared_key from accounts where is_changed
    union
    select cited_key as shared_key from accounts where is_changed and cited_key is not null
    union
    select tax_key as shared_key from accounts where is_changed and tax_key is not null

),

reached as (

    select source_system, source_id, family
    from accounts
    where is_changed
        or own_key in (select shared_key from changed_keys)
        or cited_key in (select shared_key from changed_keys)
        or tax_key in (select shared_key from changed_keys)

)

select source_system, source_id, family
from reached

union

select members.source_system, members.source_id, members.family
from {{ ref('stg_run__accounts') }} as members
where members.customer_id in (
    select before.customer_id
    from {{ ref('stg_run__accounts') }} as before
    inner join reached
        on before.source_system = reached.source_system
        and before.source_id = reached.source_id
        and before.family = reached.family
)
