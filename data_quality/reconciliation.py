"""Totals that must agree by two paths, to the last ten-thousandth. A difference refuses the release.

Each comparison is a pair of scalar queries over the build: what an earlier stage says, and what a later one holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from data_quality.conservation import Comparison
from data_quality.verdicts import Verdict

KNOWN = "known_from <= (select known_at from release) and known_to > (select known_at from release)"
RELEASE = (
    "with release as (select as_of_date, known_at, policy_version from run.run_dates where is_release_date), "
    "year as (select as_of_date - cast(window_days as integer) as before from release "
    "inner join policy.policy_windows using (policy_version) where window_name = '365d') "
)
LEDGER = (
    "intermediate.int_account_days where event_date <= (select as_of_date from release) "
    "and effective_from <= (select known_at from release)"
)
WINDOWED = (
    "intermediate.int_customers__windowed "
    "where valid_from <= (select as_of_date from release) and valid_to > (select as_of_date from release)"
)
RETURNS = (
    "intermediate.int_returns__converted where is_counted "
    f"and return_date <= (select as_of_date from release) and {KNOWN}"
)
OF_A_CUSTOMER = "(source_system, customer_ref) in (select (source_system, source_id) from customer.customer_identity)"
WATERFALL_LINES = (
    "intermediate.int_order_lines__converted where is_counted "
    f"and order_date <= (select as_of_date from release) and order_date > (select before from year) and {KNOWN}"
)
WATERFALL_RETURNS = f"{RETURNS} and return_date > (select before from year)"

# Step of contribution_waterfall → what it sums of lines, and of returns.
WATERFALL_STEPS = {
    "gross_sales": ("gross_amount", "0"),
    "discounts": ("-discount_amount", "0"),
    "returns": ("0", "net_amount"),
    "net_sales": ("net_amount", "net_amount"),
    "sales_of_unknown_cost": (
        "case when cost_amount is null then -net_amount end",
        "case when cost_amount is null then -net_amount end",
    ),
    "cost_of_goods": ("-cost_amount", "-cost_amount"),
    "gross_margin": ("net_amount - cost_amount", "net_amount - cost_amount"),
}

# (subject, measure, expected, observed): expected is the earlier stage.
COMPARISONS: Sequence[Comparison] = (
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
    (
        "orders to counted and set aside",
        "orders",
        f"select count(*) from staging.stg_sales__orders where {KNOWN} and status in "
        "(select status from policy.policy_order_statuses inner join release using (policy_version) where is_counted)",
        f"select (select count(*) from intermediate.int_orders__counted where is_counted and {KNOWN}) + "
        "(select count(*) from audit.audit_quarantine where entity = 'order' and rule = 'no_fx_rate')",
    ),
    (
        "returns by return date to order date and orphans",
        "returned_amount",
        f"select sum(returned_amount) from {LEDGER}",
        f"select (select -sum(net_amount) from {RETURNS} and order_id is not null) "
        f"+ (select coalesce(-sum(net_amount), 0) from {RETURNS} and is_orphan)",
    ),
    (
        "returns by return date to order date and orphans",
        "returned_amount of customers",
        "select sum(returned_amount) from customer.customer_months",
        "select (select sum(returned_by_order_date_amount) from customer.customer_months) "
        f"+ (select coalesce(-sum(net_amount), 0) from {RETURNS} and is_orphan and {OF_A_CUSTOMER})",
    ),
    *(
        (
            "lines and returns to contribution_waterfall",
            step,
            f"select (select coalesce(sum({of_lines}), 0) from {WATERFALL_LINES}) "
            f"+ (select coalesce(sum({of_returns}), 0) from {WATERFALL_RETURNS})",
            f"select sum(amount) from customer.contribution_waterfall where step = '{step}'",
        )
        for step, (of_lines, of_returns) in WATERFALL_STEPS.items()
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
            check_name=check_name(self.measure),
            subject=self.subject,
            status=self.status,
            severity="error",
            owner="reconciliation",
            observed=f"{self.observed:f}, residual {self.residual:f}",
            expected=f"{self.expected:f}",
        )


def check_name(measure: str) -> str:
    """How the comparison of a measure is called among the checks."""
    return f"reconciliation.{measure}"


def reconcile(connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison]) -> list[Reconciliation]:
    """Run the comparisons on the build, in order."""
    return [_compare(connection, *comparison) for comparison in comparisons]


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
