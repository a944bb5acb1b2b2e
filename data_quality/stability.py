"""Whether a day moves more customers to another tier than the policy lets one: its parameter ``tier_moved_limit``."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from data_quality.table_rules import Figure, Within
from data_quality.thresholds import Thresholds

MART, MEASURE = "tier_movements", "customers_moved_in_a_day"
MOVED = """
    select decided.as_of_date, count(*), count(moves.customer_id), any_value(policy.policy_version),
        any_value(policy.tier_moved_limit)
    from tiering.customer_tiers as decided
    inner join intermediate.int_policy__in_force as policy on decided.as_of_date = policy.as_of_date
    left join tiering.tier_movements as moves
        on decided.as_of_date = moves.movement_date and decided.customer_id = moves.customer_id
            and moves.direction in ('up', 'down')
    group by decided.as_of_date order by decided.as_of_date
"""


def stability_rule(connection: duckdb.DuckDBPyConnection | None = None, thresholds: Thresholds | None = None) -> Within:
    """The share of customers that each day of the run moves up or down, against the limit of its policy.

    Without a connection the promise alone. A day of fewer customers than say what is usual is not judged.
    """
    days = connection.execute(MOVED).fetchall() if connection else []
    least = thresholds.history("usual_records")[0] if thresholds else 0
    figures = tuple(
        Figure(
            round(Decimal(moved) / customers, 4),
            f"{day}: {moved} of {customers} customers; policy {version} lets {limit.normalize():f} move in a day "
            "(policy_parameters.csv, tier_moved_limit); if the day is right, waive this check",
        )
        for day, customers, moved, version, limit in days
        if customers >= least
    )
    limit = min((row[-1] for row in days), default=Decimal(1))
    return Within(MEASURE, figures, None, limit, nothing="too few customers to speak of a share")
