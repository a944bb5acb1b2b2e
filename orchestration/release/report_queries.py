"""What the report page asks of a release: SQL over ``serving.duckdb`` in, plain rows out.

No formatting and no markup here, and no threshold: those of the watch list come in from ``report.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb

Row = dict[str, Any]

# The marts hold no name of a person; a page that leaves the house does not rely on that alone.
NAME = "case when kind in ('person', 'household') then null else customer_name end as customer_name"
# The window of the columns named _365d: the as-of date and the 364 days before it.
WINDOW = "order_date between cast($as_of_date as date) - 364 and $as_of_date"
# More points than this do not show on a curve 500 pixels wide.
CURVE_POINTS = 100
MONTHS_SHOWN = 36


def fetch(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> list[Row]:
    """Rows of a query as dicts, in the query's own order."""
    cursor = connection.execute(query, parameters) if parameters else connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def totals(connection: duckdb.DuckDBPyConnection) -> Row:
    """One row of sums over all customers; zero, never null, when there are none."""
    return fetch(
        connection,
        """
        select
            count(*) as customers,
            count(*) filter (order_count_365d > 0) as buyers,
            coalesce(sum(net_amount_365d), 0) as net,
            coalesce(sum(margin_amount_365d), 0) as margin,
            coalesce(sum(open_amount), 0) as open_amount,
            coalesce(sum(overdue_amount), 0) as overdue,
            (select coalesce(sum(costless_amount_365d), 0) from customer_indicators) as costless
        from customer_360
        """,
    )[0]


def release_before(connection: duckdb.DuckDBPyConnection) -> Row | None:
    query = "select * from audit_releases order by published_at desc, release_id desc limit 1"
    return next(iter(fetch(connection, query)), None)


def unattributed(connection: duckdb.DuckDBPyConnection, as_of_date: date) -> list[Row]:
    """Counted orders of the window that have no customer, by reason, beside the value of all counted orders."""
    return fetch(
        connection,
        f"""
        with counted as (
            select customer_id, coalesce(unattributed_reason, 'no_reason_recorded') as reason, net_amount
            from customer_orders where is_counted and {WINDOW}
        )
        select reason, count(*) as orders, sum(net_amount) as amount
        from counted where customer_id is null
        group by reason order by amount desc, reason
        """,
        as_of_date=as_of_date,
    )


def ordered_amount(connection: duckdb.DuckDBPyConnection, as_of_date: date) -> Row:
    """Counted orders of the window, with a customer or without."""
    query = f"""
        select count(*) as orders, coalesce(sum(net_amount), 0) as amount
        from customer_orders where is_counted and {WINDOW}
    """
    return fetch(connection, query, as_of_date=as_of_date)[0]


def tiers(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Every tier of the policy, highest first, with its bounds and what its customers amount to (zero if none)."""
    return fetch(
        connection,
        """
        with policy as (
            select rule_name as tier, lower_bound, upper_bound, label_en, label_zh
            from policy_rules where rule_kind = 'band' and subject = 'tier'
        ),
        figures as (
            select
                tier, min(tier_rank) as tier_rank, max(tier_label_en) as label_en, max(tier_label_zh) as label_zh,
                count(*) as customers, sum(net_amount_365d) as net, sum(margin_amount_365d) as margin,
                sum(tier_score) as score
            from customer_360 group by tier
        )
        select
            tier,
            lower_bound,
            upper_bound,
            coalesce(policy.label_en, figures.label_en, '') as label_en,
            coalesce(policy.label_zh, figures.label_zh, '') as label_zh,
            coalesce(customers, 0) as customers,
            coalesce(net, 0) as net,
            coalesce(margin, 0) as margin,
            coalesce(score, 0) as score
        from policy full join figures using (tier)
        order by lower_bound desc nulls last, tier_rank, tier
        """,
    )


def largest_customers(connection: duckdb.DuckDBPyConnection, count: int) -> list[Row]:
    query = f"""
        select * exclude (customer_name), {NAME} from customer_360
        order by net_amount_365d desc nulls last, customer_id limit $count
    """
    return fetch(connection, query, count=count)


def watch_list(
    connection: duckdb.DuckDBPyConnection, tiers_watched: Sequence[str], days: int, overdue_share: str
) -> list[Row]:
    """Customers of the watched tiers that are quiet, late to pay or not looked after; largest first, with the why."""
    return fetch(
        connection,
        f"""
        with judged as (
            select
                * exclude (customer_name), {NAME},
                coalesce(recency_days > $days, true) as is_quiet,
                overdue_amount > 0
                and overdue_amount > coalesce(net_amount_90d, 0) * cast($overdue_share as decimal(9, 4)) as is_overdue,
                -- Where no contact is ever delivered, nothing can be said of it.
                coalesce(days_since_contact > $days, (select count(days_since_contact) > 0 from customer_360))
                as is_uncontacted
            from customer_360 where list_contains($tiers_watched, tier)
        )
        select * from judged where is_quiet or is_overdue or is_uncontacted
        order by net_amount_365d desc nulls last, customer_id
        """,
        tiers_watched=list(tiers_watched),
        days=days,
        overdue_share=overdue_share,
    )


def concentration(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The Pareto curve of customers with net sales above zero, largest first, thinned to about CURVE_POINTS."""
    return fetch(
        connection,
        f"""
        with ranked as (
            select
                row_number() over largest as place,
                sum(net_amount_365d) over (largest rows unbounded preceding) as running,
                count(*) over () as customers,
                sum(net_amount_365d) over () as total
            from customer_360 where net_amount_365d > 0
            window largest as (order by net_amount_365d desc, customer_id)
        )
        select * from ranked
        where place = 1 or place * {CURVE_POINTS} // customers <> (place - 1) * {CURVE_POINTS} // customers
        order by place
        """,
    )


def months(connection: duckdb.DuckDBPyConnection, as_of_date: date) -> list[Row]:
    """Net sales and margin per month, the last three years up to the as-of date; a month without trade has no row."""
    return fetch(
        connection,
        f"""
        select month_date, sum(net_amount) as net, coalesce(sum(margin_amount), 0) as margin
        from customer_months
        where month_date <= $as_of_date
          and month_date > date_trunc('month', cast($as_of_date as date)) - interval {MONTHS_SHOWN} month
        group by month_date order by month_date
        """,
        as_of_date=as_of_date,
    )


def segments(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Every RFM segment of the policy with its customers and their net sales, largest sales first."""
    return fetch(
        connection,
        """
        with policy as (
            select rule_name as segment, label_en, label_zh from policy_rules
            where rule_kind = 'rfm_segment' and subject = 'rfm'
        ),
        figures as (
            select rfm_segment as segment, count(*) as customers, sum(net_amount_365d) as net
            from customer_rfm inner join customer_360 using (customer_id) group by rfm_segment
        )
        select
            segment,
            coalesce(label_en, segment) as label_en,
            coalesce(label_zh, '') as label_zh,
            coalesce(customers, 0) as customers,
            coalesce(net, 0) as net
        from policy full join figures using (segment)
        order by net desc, customers desc, segment
        """,
    )


def bands(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Customers per lens and band, the heaviest lens first, best band first, bands that stand in for a verdict last."""
    return fetch(
        connection,
        """
        with rules as (
            select subject as lens, rule_name as band, rule_value, label_en, label_zh
            from policy_rules where rule_kind in ('band', 'rfm_segment')
        ),
        lenses as (
            select subject as lens, rule_name as fallback_band, rule_value as fallback_score, label_en, label_zh
            from policy_rules where rule_kind = 'fallback'
        ),
        weights as (
            select rule_name as lens, rule_value as weight
            from policy_rules where rule_kind = 'weight' and subject = 'tier'
        ),
        counted as (
            select lens, band, false as is_fallback, count(*) as customers, avg(score) as score
            from customer_bands where not is_defaulted group by lens, band
            union all
            select lens, fallback_band, true, customer_count - judged_count, fallback_score
            from lens_coverage inner join lenses using (lens) left join weights using (lens)
            where judged_count < customer_count and (not is_dark or weight is not null)
        )
        select
            lens, band, is_fallback, customers, weight,
            coalesce(lenses.label_en, lens) as lens_en, coalesce(lenses.label_zh, '') as lens_zh,
            rules.label_en, rules.label_zh
        from counted
        left join rules using (lens, band)
        left join lenses using (lens)
        left join weights using (lens)
        order by weight desc nulls last, lens, is_fallback, coalesce(rules.rule_value, score) desc nulls last, band
        """,
    )
