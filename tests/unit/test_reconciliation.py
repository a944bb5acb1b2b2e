"""Promises of reconciliation: a published build agrees to the last digit, and one row too few or too many is seen."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from installation import Published, as_table, copy_of

from data_quality.conservation import conservation
from data_quality.reconciliation import COMPARISONS, Reconciliation, reconcile
from orchestration.demo.deliver import FEEDS
from orchestration.extract.contract import load_contract
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse

DELIVERED = [load_contract().table(f"{feed.source}.{feed.entity}") for feed in FEEDS]
COMPARED = [*conservation(DELIVERED), *COMPARISONS]
RELEASE = "(select as_of_date from run.run_dates where is_release_date)"
KNOWN = "effective_from <= (select known_at from run.run_dates where is_release_date)"
# table → (its amount, rows that count in a total)
TABLES = {
    "customer.customer_orders": ("net_amount", "is_counted and net_amount <> 0"),
    "intermediate.int_account_days": ("net_amount", f"net_amount <> 0 and event_date <= {RELEASE} and {KNOWN}"),
    "customer.customer_indicators": ("net_amount_365d", f"net_amount_365d <> 0 and as_of_date = {RELEASE}"),
    "customer.customer_360": ("net_amount_365d", "net_amount_365d <> 0"),
    "customer.contribution_waterfall": ("amount", "step = 'net_sales' and amount <> 0"),
    "customer.customer_months": ("net_amount", "net_amount <> 0"),
}
CHANGES = {
    "dropped": "delete from {table} where rowid = {row}",
    "doubled": "insert into {table} select * from {table} where rowid = {row}",
    "negated": "update {table} set {amount} = -{amount} where rowid = {row}",
    "one ten-thousandth more": "update {table} set {amount} = {amount} + 0.0001 where rowid = {row}",
}


@pytest.fixture(scope="module")
def build(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = Settings(home=copy_of(published_home, tmp_path_factory.mktemp("build")), environment="test")
    with open_warehouse(settings) as connection:
        for view in ("customer.contribution_waterfall", "customer.customer_indicators"):
            as_table(connection, view)
        yield connection


def changed(build: duckdb.DuckDBPyConnection, statement: str) -> list[Reconciliation]:
    """What reconciliation says of a build with one statement done to it; the build stays as it was."""
    build.execute("begin")
    try:
        build.execute(statement)
        return reconcile(build, COMPARED)
    finally:
        build.execute("rollback")


def test_a_published_build_agrees_to_the_last_digit(build: duckdb.DuckDBPyConnection) -> None:
    totals = reconcile(build, COMPARED)
    assert [total for total in totals if total.residual or total.status != "pass"] == []
    assert len({(total.subject, total.measure) for total in totals}) == len(totals) > len(COMPARISONS)
    said = [total for total in totals if not total.measure.startswith(("accepted", "files "))]
    assert [total.subject for total in said if not total.expected] == []


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_one_row_changed_behind_its_back_is_a_failure(
    build: duckdb.DuckDBPyConnection, table: str, change: str
) -> None:
    amount, counted = TABLES[table]
    ((row,),) = build.execute(f"select min(rowid) from {table} where {counted}").fetchall()
    assert row is not None
    totals = changed(build, CHANGES[change].format(table=table, amount=amount, row=row))
    failed = [total for total in totals if total.status == "fail"]
    assert failed
    assert all(total.residual and total.verdict.blocks for total in failed)


@pytest.mark.parametrize("table", [table.raw_name for table in DELIVERED])
def test_a_raw_row_lost_or_loaded_twice_is_a_failure(build: duckdb.DuckDBPyConnection, table: str) -> None:
    name = f"raw.{table}"
    ((row,),) = build.execute(f"select min(rowid) from {name}").fetchall()
    if row is None:
        pytest.fail(f"the demo delivers nothing for {table}, expected a row of each of its feeds")
    for change, residual in (("dropped", -1), ("doubled", 1)):
        totals = changed(build, CHANGES[change].format(table=name, row=row))
        assert (f"raw zone to {table}", residual) in {(t.subject, t.residual) for t in totals if t.status == "fail"}


# raw table → (its amount, its date)
RAW = {
    "raw_sales__order_line": ("net_amount", None),
    "raw_sales__return_line": ("net_amount", "business_date"),
    "raw_finance__invoice": ("total_amount", "issued_date"),
    "raw_crm__account": (None, "created_at"),
}
# Dropped and doubled rows are seen in every raw table: the promise above.
RAW_CHANGES = {
    "negated": CHANGES["negated"],
    "re-dated": "update {table} set {date} = {date} + interval 1 day where rowid = {row}",
    "re-keyed": "update {table} set source_record_id = source_record_id || '0' where rowid = {row}",
}


@pytest.mark.parametrize("change", RAW_CHANGES)
@pytest.mark.parametrize("table", RAW)
def test_one_row_changed_behind_landings_back_is_seen(
    build: duckdb.DuckDBPyConnection, table: str, change: str
) -> None:
    amount, day = RAW[table]
    if (change == "negated" and amount is None) or (change == "re-dated" and day is None):
        pytest.skip("the table has no such column")
    row = f"(select min(rowid) from raw.{table} where {amount or 1} <> 0)"
    statement = RAW_CHANGES[change].format(table=f"raw.{table}", amount=amount, date=day, row=row)
    failed = [total.subject for total in changed(build, statement) if total.status == "fail"]
    assert f"raw zone to {table}" in failed
