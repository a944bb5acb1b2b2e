"""Promises of history: intervals say what each published day decided, and a ledger that changed is read again."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import hypothesis
import pytest
from hypothesis import strategies as st
from installation import settings_of

from orchestration.decision_history import load_decisions, load_made_of, load_standings
from orchestration.settings import Settings
from orchestration.warehouse_tables import RUN_TABLES

FIRST = date(2025, 6, 1)
Day = dict[str, str]  # customer → tier; who is absent has none


def decide(settings: Settings, day: int, tiers: Day, stages: Day | None = None) -> None:
    """Write the decision of a day; without ``stages`` as files were before there were any."""
    settings.decisions.mkdir(parents=True, exist_ok=True)
    stage = {
        who: f", {literal((stages or {}).get(who))} as lifecycle_stage" if stages is not None else "" for who in tiers
    }
    rows = " union all ".join(
        f"select '{who}' as customer_id, '{tier}' as tier{stage[who]}" for who, tier in tiers.items()
    )
    empty = "select null::varchar as customer_id, null::varchar as tier where false"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({rows or empty}) to '{settings.decisions}/{FIRST + timedelta(days=day)}.parquet'")


def literal(text: str | None) -> str:
    return f"'{text}'" if text else "null::varchar"


def a_build() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema run")
    connection.execute(f"create table run.run_decision_intervals ({RUN_TABLES['run_decision_intervals']})")
    return connection


def on(connection: duckdb.DuckDBPyConnection, day: int, scheme: str = "tier") -> Day:
    """Who stood where on a day, by the intervals of a scheme."""
    found = connection.execute(
        "select customer_id, band from run.run_decision_intervals "
        "where scheme = $2 and valid_from <= $1 and (valid_to is null or valid_to > $1)",
        [FIRST + timedelta(days=day), scheme],
    ).fetchall()
    assert len({customer for customer, _ in found}) == len(found), "a customer stands in one band of a scheme"
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
        assert connection.execute("select * exclude (main_cause) from run.run_decision_intervals").fetchall() == [
            ("tier", "a", "T1", FIRST, None)
        ]


def test_a_ledger_in_which_a_day_was_filled_in_is_read_again(settings: Settings) -> None:
    decide(settings, 0, {"a": "T1"})
    decide(settings, 2, {"a": "T1"})
    with a_build() as connection:
        assert load_decisions(settings, connection) == 2
        decide(settings, 1, {"a": "T2"})
        assert load_decisions(settings, connection) == 3
        assert [on(connection, day) for day in range(3)] == [{"a": "T1"}, {"a": "T2"}, {"a": "T1"}]


@hypothesis.given(
    days=st.lists(
        st.dictionaries(
            st.sampled_from("abc"),
            st.tuples(st.sampled_from(["T1", "T2"]), st.sampled_from(["growth", "decline", ""])),
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_tier_and_stage_have_intervals_of_their_own(
    days: list[dict[str, tuple[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = settings_of(tmp_path_factory.mktemp("ledger"))
    tiers = [{who: tier for who, (tier, _) in day.items()} for day in days]
    stages = [{who: stage for who, (_, stage) in day.items() if stage} for day in days]
    for number in range(len(days)):
        decide(settings, number, tiers[number], stages[number])
    with a_build() as connection:
        load_decisions(settings, connection)
        assert [on(connection, number) for number in range(len(days))] == tiers
        assert [on(connection, number, "lifecycle") for number in range(len(days))] == stages


def test_decisions_from_before_there_were_stages_tell_tiers_and_no_stages(settings: Settings) -> None:
    decide(settings, 0, {"a": "T1"})
    decide(settings, 1, {"a": "T1"}, {"a": "growth"})
    decide(settings, 2, {"a": "T1"}, {"a": "growth"})
    with a_build() as connection:
        assert load_decisions(settings, connection) == 3
        assert connection.execute("from run.run_decision_intervals order by scheme").fetchall() == [
            ("lifecycle", "a", "growth", FIRST + timedelta(days=1), None, None),
            ("tier", "a", "T1", FIRST, None, None),
        ]


def test_a_decision_from_before_standings_were_written_down_tells_none(settings: Settings) -> None:
    decide(settings, 0, {"a": "T1"})
    with a_build() as connection:
        connection.execute(f"create table run.run_standings ({RUN_TABLES['run_standings']})")
        connection.execute("insert into run.run_standings values ('left over', 1, true, null, null)")
        load_standings(settings, connection, before=FIRST + timedelta(days=1))
        assert connection.execute("from run.run_standings").fetchall() == []


def test_a_decision_from_before_causes_were_told_has_nothing_to_compare_with(settings: Settings) -> None:
    decide(settings, 0, {"a": "T1"})
    tables = ("run_decided_customers", "run_decided_factors", "run_decided_accounts")
    with a_build() as connection:
        for table in tables:
            connection.execute(f"create table run.{table} ({RUN_TABLES[table]})")
        connection.execute("insert into run.run_decided_accounts values ('left over', 'a')")
        load_made_of(settings, connection, before=FIRST + timedelta(days=1))
        assert [connection.execute(f"from run.{table}").fetchall() for table in tables] == [[], [], []]
