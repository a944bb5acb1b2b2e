"""When the methods of ml/methods.py are put beside the policy's tiers, and on what: with each month's first release."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ml.comparison import Comparison, NoComparison, comparable_tiers
from ml.params import MethodsParams
from ml.store import newest_comparison

# A row a customer of the release date. Money and rates are decimals, which the methods read as binary numbers.
CUSTOMERS = """
    select customer_id, tiers.tier, {columns}
    from customer.customer_indicators
    inner join tiering.customer_tiers as tiers using (as_of_date, customer_id)
    where as_of_date = $as_of_date
"""
TIERS = """
    select rule_name from audit.policy_rules
    where rule_kind = 'band' and subject = 'tier' order by lower_bound desc nulls last, rule_name
"""


def compare_run(
    connection: duckdb.DuckDBPyConnection, stored: Mapping[str, Comparison], params: MethodsParams
) -> tuple[Comparison | None, str | None]:
    """Fill ``ml.comparisons`` with the comparison that the release shows, if there is one: the month's own where it is
    stored, else one made now; where none can be made, the last there was and the reason. Returns both."""
    ((day, known_at),) = connection.execute(
        "select as_of_date, known_at from run.run_dates where is_release_date"
    ).fetchall()
    shown, is_of_month = newest_comparison(stored, day, known_at)
    reason = None
    if not is_of_month:
        columns = ", ".join(f"cast({one.column} as double) as {one.column}" for one in params.indicators)
        frame = connection.execute(CUSTOMERS.format(columns=columns), {"as_of_date": day}).df()
        tiers = [row[0] for row in connection.execute(TIERS).fetchall()]
        try:
            comparable_tiers(frame["tier"], tiers, params)
            # scikit-learn takes more than a second to import, which only a day with a comparison pays.
            from ml.methods import compare

            shown = compare(frame, tiers, as_of_date=day, known_at=known_at, params=params, before=shown)
        except NoComparison as refused:
            reason = str(refused)
    connection.execute("delete from ml.comparisons")
    told = (shown.version, shown.to_json()) if shown else (None, None)
    connection.execute("insert into ml.comparisons values (?, ?, ?, ?)", [day, *told, reason])
    return shown, reason
