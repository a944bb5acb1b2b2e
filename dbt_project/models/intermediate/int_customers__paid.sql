{#- How a customer pays, on each as-of date: days from issue to the settling day of its invoices of 24 months, by nearest rank,
    so that the order of equals tells nothing; the longest, where open ones count the days so far; and the way most of its payments
    of that time came. -#}
with dates as (

    {{ dates_of_window('730d', [
        'payment_method', 'days_to_pay_p50_730d', 'days_to_pay_p90_730d', 'max_days_to_pay_730d',
    ]) }}

),

identity as (

    select dates.as_of_date, identity.source_system, identity.source_id, identity.customer_id
    from {{ ref('int_customers__identity') }} as identity
    inner join dates
        on identity.valid_from <= dates.as_of_date
        and identity.valid_to > dates.as_of_date
    where identity.family = 'finance'

),

invoices as (

    select
        dates.as_of_date, invoices.source_system, invoices.customer_ref,
        coalesce(invoices.settled_date <= dates.as_of_date, false) as is_settled,
        case
            when invoices.settled_date <= dates.as_of_date then {{ days_between('invoices.issued_date', 'invoices.settled_date') }}
            else {{ days_between('invoices.issued_date', 'dates.as_of_date') }}
        end as days_to_pay
    from {{ ref('int_invoices__settled') }} as invoices
    inner join dates
        on {{ known_in_window('invoices', 'issued_date') }}

),

ranked as (

    select
        invoices.as_of_date, identity.customer_id, invoices.is_settled, invoices.days_to_pay,
        row_number() over (
            partition by invoices.as_of_date, identity.customer_id, invoices.is_settled
            order by invoices.days_to_pay
        ) as place,
        count(*) over (partition by invoices.as_of_date, identity.customer_id, invoices.is_settled) as invoice_count
    from invoices
    inner join identity
        on invoices.as_of_date = identity.as_of_date
        and invoices.source_system = identity.source_system
        and invoices.customer_ref = identity.source_id

),

timed as (

    select
        as_of_date, customer_id,
        max(case when is_settled and place = {{ p50_place('invoice_count') }} then days_to_pay end) as days_to_pay_p50_730d,
        max(case when is_settled and place = {{ p90_place('invoice_count') }} then days_to_pay end) as days_to_pay_p90_730d,
        max(days_to_pay) as max_days_to_pay_730d
    from ranked
    group by as_of_date, customer_id

),

paid as (

    select dates.as_of_date, payments.source_system, payments.customer_ref, payments.method, count(*) as payment_count
    from {{ ref('stg_finance__payments') }} as payments
    inner join dates
        on {{ known_in_window('payments', 'received_date') }}
    where payments.method is not null
        and not coalesce(payments.is_refund, false)
    group by dates.as_of_date, payments.source_system, payments.customer_ref, payments.method

),

methods as (

    select
        paid.as_of_date, identity.customer_id, paid.method,
        row_number() over (
            partition by paid.as_of_date, identity.customer_id order by sum(paid.payment_count) desc, paid.method asc
        ) as nth
    from paid
    inner join identity
        on paid.as_of_date = identity.as_of_date
        and paid.source_system = identity.source_system
        and paid.customer_ref = identity.source_id
    group by paid.as_of_date, identity.customer_id, paid.method

)

select
    coalesce(timed.as_of_date, methods.as_of_date) as as_of_date,
    coalesce(timed.customer_id, methods.customer_id) as customer_id,
    timed.days_to_pay_p50_730d,
    timed.days_to_pay_p90_730d,
    timed.max_days_to_pay_730d,
    methods.method as payment_method
from timed
full join (select as_of_date, customer_id, method from methods where nth = 1) as methods
    on timed.as_of_date = methods.as_of_date
    and timed.customer_id = methods.customer_id
