"""Promises of history: intervals say what each published day decided, and a ledger that changed is read again."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import hypothesis
import pytest
from hypothesis import strategies as st
from installation import settings_of

from orchestration.decision_history import load_decisions
from orchestration.settings import Settings
from orchestration.warehouse import RUN_TABLES

FIRST = date(2025, 6, 1)
Day = dict[str, str]  # customer → tier; who is absent has none


def decide(settings: Settings, day: int, tiers: Day) -> None:
    settings.decisions.mkdir(parents=True, exist_ok=True)
    rows = " union all ".join(f"select '{who}' as customer_id, '{tier}' as tier" for who, tier in tiers.items())
    empty = "select null::varchar as customer_id, null::varchar as tier where false"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({rows or empty}) to '{settings.decisions}/{FIRST + timedelta(days=day)}.parquet'")


def a_build() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema run")
    connection.execute(f"create table run.run_tier_intervals ({RUN_TABLES['run_tier_intervals']})")
    return connection


def on(connection: duckdb.DuckDBPyConnection, day: int) -> Day:
    """Who stood where on a day, by the intervals."""
    found = connection.execute(
        "select customer_id, tier from run.run_tier_intervals "
        "where valid_from <= $1 and (valid_to is null or valid_to > $1)",
        [FIRST + timedelta(days=day)],
    ).fetchall()
    assert len({customer for customer, _ in found}) == len(found), "a customer stands in one tier"
    return dict(found)


@hypothesis.given(
    days=st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["T1", "T2"]), max_size=3), min_size=1, max_size=6
    ),
    read_first=st.integers(0, 6),
)
def test_intervals_say_what_every_day_decided_however_many_were_read_at_once(
    days: list[Day], read_first: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = settings_of(tmp_path_factory.mktemp("ledger"))
    with a_build() as connection:
        for number, tiers in enumerate(days):
            decide(settings, number, tiers)
            if number + 1 == read_first:
                assert load_decisions(settings, connection) == read_first
        load_decisions(settings, connection)
        assert [on(connection, number) for number in range(len(days))] == days
        assert load_decisions(settings, connection) == 0


def test_a_tier_that_stands_is_one_interval(settings: Settings) -> None:
    for day in range(4):
        decide(settings, day, {"a": "T1"})
    with a_build() as connection:
        load_decisions(settings, connection)
        assert connection.execute("from run.run_tier_intervals").fetchall() == [("a", "T1", FIRST, None)]


def test_a_ledger_in_which_a_day_was_filled_in_is_read_again(settings: Settings) -> None:
    decide(settings, 0, {"a": "T1"})
    decide(settings, 2, {"a": "T1"})
    with a_build() as connection:
        assert load_decisions(settings, connection) == 2
        decide(settings, 1, {"a": "T2"})
        assert load_decisions(settings, connection) == 3
        assert [on(connection, day) for day in range(3)] == [{"a": "T1"}, {"a": "T2"}, {"a": "T1"}]
