"""Promises of the build state: a day goes on from the last one only where nothing that was known can have changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from orchestration.build_state import begin_build, end_build, go_on, stands_for
from orchestration.extract.contract import load_contract
from orchestration.plan import PlannedDay
from orchestration.warehouse_tables import RUN_TABLES

Build = duckdb.DuckDBPyConnection
MONDAY, TUESDAY = date(2025, 6, 2), date(2025, 6, 3)
NOTHING = (None, None, None)


def known(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 16, tzinfo=UTC)


@pytest.fixture
def build() -> Iterator[Build]:
    """A build file in which Monday was built, with one account of customer x."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        assert not stands_for(connection, load_contract(), RUN_TABLES)
        for name, columns in RUN_TABLES.items():
            connection.execute(f"create table run.{name} ({columns})")
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_customers__identity as select 's' as source_system, '1' as source_id, "
            "'crm' as family, 'x' as customer_id, date '9999-12-31' as valid_to"
        )
        start(connection, MONDAY, [known(MONDAY)])
        end_build(connection, "models")
        yield connection


def start(
    connection: Build, day: date, newly_known: list[datetime], project: str = "models", policy: str = "2025.1"
) -> None:
    """What loading does: the run's dates and batches, then what the models may go on from."""
    for name in ("run_dates", "run_builds", "run_accounts"):
        connection.execute(f"delete from run.{name}")
    connection.execute("insert into run.run_dates values (?, ?, ?, 'none', true, 'one')", [day, known(day), policy])
    for instant in newly_known:
        connection.execute("insert into run.run_batches (batch_id, known_at) values ('b', ?)", [instant])
    go_on(connection, [PlannedDay(day, known(day), policy)], newly_known, project)


def stands(connection: Build) -> Any:
    return connection.execute("from run.run_builds").fetchone()


def test_the_next_day_goes_on_from_the_last_one(build: Build) -> None:
    start(build, TUESDAY, [known(TUESDAY)])
    assert stands(build) == (known(MONDAY), MONDAY, known(MONDAY))
    assert build.execute("select customer_id from run.run_accounts").fetchall() == [("x",)]
    assert begin_build(build)
    assert stands(build) == (known(MONDAY), MONDAY, known(MONDAY))


@pytest.mark.parametrize(
    ("newly_known", "project", "policy"),
    [
        ([known(TUESDAY)], "other models", "2025.1"),
        ([known(TUESDAY)], "models", "2025.2"),
        ([known(TUESDAY), known(MONDAY)], "models", "2025.1"),
        ([known(MONDAY) - timedelta(microseconds=1)], "models", "2025.1"),
    ],
    ids=["another project", "another policy", "a batch of a built instant", "a batch of an earlier instant"],
)
def test_nothing_stands_where_what_was_built_can_have_changed(
    build: Build, newly_known: list[datetime], project: str, policy: str
) -> None:
    start(build, TUESDAY, newly_known, project, policy)
    assert stands(build) == NOTHING
    assert not begin_build(build)
    start(build, TUESDAY, [])
    assert stands(build) == NOTHING, "an interrupted build of something else must not be taken for what stood"


def test_a_batch_known_an_instant_later_changes_nothing_that_was_known(build: Build) -> None:
    start(build, TUESDAY, [known(MONDAY) + timedelta(microseconds=1)])
    assert stands(build) == (known(MONDAY), MONDAY, known(MONDAY))


@pytest.mark.parametrize("day", [MONDAY, MONDAY - timedelta(days=1)], ids=["the same day", "an earlier day"])
def test_what_stands_as_of_a_date_stands_for_later_dates_only(build: Build, day: date) -> None:
    start(build, day, [])
    assert stands(build) == (known(MONDAY), None, None)
    assert build.execute("select * from run.run_accounts").fetchall() == []


def test_a_build_that_did_not_end_leaves_facts_but_no_date_to_go_on_from(build: Build) -> None:
    start(build, TUESDAY, [known(TUESDAY)])
    begin_build(build)
    start(build, TUESDAY, [])
    assert stands(build) == (known(MONDAY), None, None)


@pytest.mark.parametrize("ended", [True, False], ids=["after it succeeded", "after it failed"])
def test_a_build_repeated_without_its_inputs_sums_nothing_twice(build: Build, ended: bool) -> None:
    start(build, TUESDAY, [known(TUESDAY)])
    begin_build(build)
    if ended:
        end_build(build, "models")
    assert begin_build(build)
    assert stands(build) == (known(MONDAY), None, None)


def test_a_build_file_of_another_contract_holds_nothing(build: Build) -> None:
    assert stands_for(build, load_contract(), RUN_TABLES)
    build.execute("update run.build_state set contract = 'another'")
    assert not stands_for(build, load_contract(), RUN_TABLES)
    start(build, TUESDAY, [])
    assert stands(build) == NOTHING


def test_a_build_file_in_which_a_table_of_runs_had_other_columns_holds_nothing(build: Build) -> None:
    assert not stands_for(build, load_contract(), RUN_TABLES | {"run_decision_intervals": "customer_id varchar"})
    assert not stands_for(build, load_contract(), RUN_TABLES), "and then it is of the other shape"
    assert stands_for(build, load_contract(), RUN_TABLES)
