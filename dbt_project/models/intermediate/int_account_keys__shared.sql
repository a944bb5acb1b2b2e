{#- Which accounts share a key with one that is matched anew, on each as-of date: a declared cross-reference or a tax id.
    A key shared by one account joins nothing; a key shared by more than the policy's cap is a placeholder and joins
    nobody; a code that two systems of one family both use for their own accounts cannot be cited and joins nobody
    either. -#}
with dates as (

    select dates.as_of_date, dates.known_at, policy.identity_cluster_cap
    from {{ ref('stg_run__dates') }} as dates
    inner join {{ ref('int_policy__in_force') }} as policy on dates.as_of_date = policy.as_of_date

),

held_keys as (

    select accounts.own_key, accounts.cited_key, accounts.tax_id
    from {{ ref('int_accounts__unioned') }} as accounts
    inner join {{ ref('int_accounts__rematched') }} as rematched
        on accounts.source_system = rematched.source_system
        and accounts.source_id = rematched.source_id
        and accounts.family = rematched.family

),

accounts as (

    select
        dates.as_of_date, dates.identity_cluster_cap,
        accounts.source_system, accounts.source_id, accounts.own_key, accounts.cited_key, accounts.tax_id
    from {{ ref('int_accounts__unioned') }} as accounts
    inner join dates
        on accounts.known_from <= dates.known_at
        and accounts.known_to > dates.known_at
    where accounts.own_key in (select own_key from held_keys)
        or accounts.own_key in (select cited_key from held_keys)
        or accounts.cited_key in (select own_key from held_keys)
        or accounts.cited_key in (select cited_key from held_keys)
        or accounts.tax_id in (select tax_id from held_keys)

),

keys as (

    select as_of_date, identity_cluster_cap, source_system, source_id, own_key as shared_key, 'declared_reference' as rule, 1 as is_owner
    from accounts
    union
    select as_of_date, identity_cluster_cap, source_system, source_id, cited_key as shared_key, 'declared_reference' as rule, 0 as is_owner
    from accounts
    where cited_key is not null
    union
    select as_of_date, identity_cluster_cap, source_system, source_id, 'tax:' || tax_id as shared_key, 'tax_id' as rule, 0 as is_owner
    from accounts
    where tax_id is not null

),

counted as (

    select
        keys.*,
        count(*) over (partition by as_of_date, shared_key) as account_count,
        sum(is_owner) over (partition by as_of_date, shared_key) as owner_count
    from keys

)

select as_of_date, source_system, source_id, shared_key, rule, is_owner, account_count
from counted
where account_count > 1
    and account_count <= identity_cluster_cap
    and owner_count <= 1
