"""Promises of reconciliation: a published build agrees to the last digit, and one row too few or too many is seen."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from installation import Published, copy_of

from data_quality.reconciliation import Reconciliation, reconcile
from orchestration.extract.contract import load_contract
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse

RAW_TABLES = [(table.family, table.entity, table.raw_name) for table in load_contract().tables]
RELEASE = "(select as_of_date from run.run_dates where is_release_date)"
KNOWN = "effective_from <= (select known_at from run.run_dates where is_release_date)"
# table → (its amount, rows that count in a total)
TABLES = {
    "customer.customer_orders": ("net_amount", "is_counted and net_amount <> 0"),
    "intermediate.int_account_days": ("net_amount", f"net_amount <> 0 and event_date <= {RELEASE} and {KNOWN}"),
    "customer.customer_indicators": ("net_amount_365d", f"net_amount_365d <> 0 and as_of_date = {RELEASE}"),
    "customer.customer_360": ("net_amount_365d", "net_amount_365d <> 0"),
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
        yield connection


def changed(build: duckdb.DuckDBPyConnection, statement: str) -> list[Reconciliation]:
    """What reconciliation says of a build with one statement done to it; the build stays as it was."""
    build.execute("begin")
    try:
        build.execute(statement)
        return reconcile(build, RAW_TABLES)
    finally:
        build.execute("rollback")


def test_a_published_build_agrees_to_the_last_digit(build: duckdb.DuckDBPyConnection) -> None:
    totals = reconcile(build, RAW_TABLES)
    assert [total for total in totals if total.residual or total.status != "pass"] == []
    assert len({(total.subject, total.measure) for total in totals}) == len(totals) > len(RAW_TABLES)
    assert [total.subject for total in totals if total.measure != "accepted rows" and not total.expected] == []


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


@pytest.mark.parametrize("table", [raw_name for _, _, raw_name in RAW_TABLES])
def test_a_raw_row_lost_or_loaded_twice_is_a_failure(build: duckdb.DuckDBPyConnection, table: str) -> None:
    name = f"raw.{table}"
    ((row,),) = build.execute(f"select min(rowid) from {name}").fetchall()
    if row is None:
        pytest.fail(f"the demo delivers nothing for {table}, expected every table of the contract")
    for change, residual in (("dropped", -1), ("doubled", 1)):
        totals = changed(build, CHANGES[change].format(table=name, row=row))
        assert (f"raw zone to {table}", residual) in {(t.subject, t.residual) for t in totals if t.status == "fail"}
