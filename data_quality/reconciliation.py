"""Totals that must agree by two paths, to the last ten-thousandth. A difference refuses the release.

Each comparison is a pair of scalar queries over the build: what an earlier stage says, and what a later one holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from data_quality.verdicts import Verdict

KNOWN = "known_from <= (select known_at from release) and known_to > (select known_at from release)"
RELEASE = "with release as (select as_of_date, known_at from run.run_dates where is_release_date) "
LEDGER = (
    "intermediate.int_account_days where event_date <= (select as_of_date from release) "
    "and effective_from <= (select known_at from release)"
)
WINDOWED = "intermediate.int_customers__windowed where as_of_date = (select as_of_date from release)"

# (subject, measure, expected, observed): expected is the earlier stage.
COMPARISONS: Sequence[tuple[str, str, str, str]] = (
    (
        "files to raw zone",
        "records",
        "select sum(records) from run.run_batches",
        "select sum(accepted + duplicates + quarantined) from run.run_batches",
    ),
    (
        "orders to customer_orders",
        "net_amount",
        f"select sum(net_amount) from intermediate.int_order_lines__converted "
        f"where is_counted and order_date <= (select as_of_date from release) and {KNOWN}",
        "select sum(net_amount) from customer.customer_orders where is_counted",
    ),
    (
        "lines and returns to ledger",
        "net_amount",
        f"select (select coalesce(sum(net_amount), 0) from intermediate.int_order_lines__converted "
        f"where is_counted and order_date <= (select as_of_date from release) and {KNOWN}) "
        f"+ (select coalesce(sum(net_amount), 0) from intermediate.int_returns__converted "
        f"where is_counted and return_date <= (select as_of_date from release) and {KNOWN})",
        f"select sum(net_amount) from {LEDGER}",
    ),
    (
        "ledger to customers and unattributed",
        "net_amount",
        f"select sum(net_amount) from {LEDGER}",
        f"select sum(net_amount_all) from {WINDOWED}",
    ),
    (
        "ledger to customers and unattributed",
        "open_amount",
        f"select sum(open_amount) from {LEDGER}",
        f"select sum(open_amount) from {WINDOWED}",
    ),
    (
        "customers to indicators",
        "net_amount_365d",
        f"select sum(net_amount_365d) from {WINDOWED} and customer_id in "
        f"(select customer_id from intermediate.int_customers__population "
        f"where as_of_date = (select as_of_date from release))",
        "select sum(net_amount_365d) from customer.customer_indicators "
        "where as_of_date = (select as_of_date from release)",
    ),
    (
        "indicators to customer_360",
        "net_amount_365d",
        "select sum(net_amount_365d) from customer.customer_indicators "
        "where as_of_date = (select as_of_date from release)",
        "select sum(net_amount_365d) from customer.customer_360",
    ),
    (
        "customers to customer_months",
        "net_amount",
        f"select sum(net_amount_all) from {WINDOWED} and customer_id is not null",
        "select sum(net_amount) from customer.customer_months",
    ),
)


@dataclass(frozen=True)
class Reconciliation:
    """One total by two paths; ``residual`` = observed - expected and must be zero."""

    subject: str
    measure: str
    expected: Decimal
    observed: Decimal
    residual: Decimal
    status: str

    @property
    def verdict(self) -> Verdict:
        return Verdict(
            check_name=f"reconciliation.{self.measure}",
            subject=self.subject,
            status=self.status,
            severity="error",
            owner="reconciliation",
            observed=f"{self.observed:f}, residual {self.residual:f}",
            expected=f"{self.expected:f}",
        )


def reconcile(
    connection: duckdb.DuckDBPyConnection, raw_tables: Sequence[tuple[str, str, str]] = ()
) -> list[Reconciliation]:
    """Run every comparison on the build. ``raw_tables`` holds (family, entity, raw table) to count row by row."""
    counted = [
        (
            f"raw zone to {table}",
            "accepted rows",
            f"select coalesce(sum(accepted), 0) from run.run_batches where family = '{family}' and entity = '{entity}'",
            f"select count(*) from raw.{table}",
        )
        for family, entity, table in raw_tables
    ]
    return [_compare(connection, *comparison) for comparison in (*counted, *COMPARISONS)]


def _compare(
    connection: duckdb.DuckDBPyConnection, subject: str, measure: str, expected_sql: str, observed_sql: str
) -> Reconciliation:
    expected, observed = (_scalar(connection, sql) for sql in (expected_sql, observed_sql))
    residual = observed - expected
    return Reconciliation(subject, measure, expected, observed, residual, "fail" if residual else "pass")


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str) -> Decimal:
    row = connection.execute(RELEASE + f"select cast(coalesce(({sql}), 0) as decimal(38, 4))").fetchone()
    if row is None:
        raise RuntimeError(f"reconciliation: no value from {sql}")
    return Decimal(row[0])
