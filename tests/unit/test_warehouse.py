"""Promises of the build file: whatever order batches arrive in, a record's versions have the same intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from installation import PROVE, settings_of

from orchestration.extract import landing
from orchestration.extract.contract import load_contract
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import load_registry
from orchestration.plan import PlannedDay
from orchestration.settings import Settings
from orchestration.warehouse import RUN_TABLES, load_run, open_warehouse

SOURCES = """
start_date: 2025-01-01
sources:
  hr:
    family: crm
    timezone: UTC
    tables:
      owner:
        {files: "owner_{delivery_date}.csv", format: csv, delivered: daily, columns: {owner_id: id, team_id: team,
        level: {column: level}}}
"""
DAY = date(2025, 1, 1)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
PLAN = [PlannedDay(DAY, datetime(2025, 1, 2, tzinfo=UTC), "2025.1")]
# What is delivered when, as "id team" records. The third day is sent twice; the fifth has a row that is refused.
DELIVERIES = ((0, "a 1", "b 1", "c 1"), (1, "a 2"), (2, "a 3", "b 3"), (2, "a 4", "b 3"), (3,), (4, "c 5", "d 5", " 9"))

Interval = tuple[str, str, datetime, datetime]


@dataclass(frozen=True)
class Landed:
    settings: Settings
    batches: tuple[Batch, ...]
    expected: list[Interval]


def deliver(settings: Settings, deliveries: Sequence[tuple[Any, ...]]) -> tuple[Batch, ...]:
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(SOURCES, encoding="utf-8")
    feeds = load_registry(settings.sources).feeds
    folder = settings.landing / "hr"
    folder.mkdir(parents=True, exist_ok=True)
    batches: list[Batch] = []
    for offset, *records in deliveries:
        day = DAY + timedelta(days=offset)
        lines = [
            "id,team,level",
            *(f"{record.replace(' ', ',')},{'' if record.strip() != '9' else 'x'}" for record in records),
        ]
        (folder / f"owner_{day:%Y%m%d}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        pending = landing.pending_deliveries(settings, feeds, date.max)
        batches += landing.commit(settings, landing.prepare(settings, pending))
    return tuple(batches)


def by_hand(deliveries: Sequence[tuple[Any, ...]]) -> list[Interval]:
    """Each version is known until the next delivery of the same record, in the order of delivery."""
    versions: dict[str, list[tuple[str, datetime]]] = {}
    for offset, *records in deliveries:
        known_at = datetime(2025, 1, 2, tzinfo=UTC) + timedelta(days=offset)
        for record in records:
            name, team = record.split(" ")
            if name:
                versions.setdefault(name, []).append((team, known_at))
    return sorted(
        (name, team, known_from, until)
        for name, known in versions.items()
        for (team, known_from), until in zip(known, [*(at for _, at in known[1:]), NEVER], strict=True)
    )


def intervals(settings: Settings) -> list[Interval]:
    with open_warehouse(settings, read_only=True) as connection:
        return connection.execute(
            "select source_record_id, team_id, known_from, known_to from raw.raw_crm__owner order by all"
        ).fetchall()


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    settings = settings_of(tmp_path_factory.mktemp("landed"))
    return Landed(settings, deliver(settings, DELIVERIES), by_hand(DELIVERIES))


@hypothesis.settings(max_examples=500 if PROVE else 12, deadline=None)
@given(data=st.data())
def test_any_order_and_grouping_of_batches_gives_the_same_intervals(landed: Landed, data: st.DataObject) -> None:
    order = data.draw(st.permutations(landed.batches))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=2)))
    with TemporaryDirectory() as folder:
        settings = replace(landed.settings, home=Path(folder))
        for place in ("raw", "quarantine"):
            (settings.home / place).symlink_to(landed.settings.home / place)
        with open_warehouse(settings) as connection:
            for until in (*cuts, len(order)):
                load_run(settings, connection, PLAN, order[:until], [])
        assert intervals(settings) == landed.expected


def test_a_file_corrected_on_its_own_day_replaces_the_first_whatever_its_bytes(settings: Settings) -> None:
    """Both are known at the same instant; the order of delivery decides and not that of their hashes."""
    deliveries = [(0, *(f"{name} {version}" for name in "ab")) for version in range(1, 7)]
    batches = deliver(settings, deliveries)
    with open_warehouse(settings) as connection:
        load_run(settings, connection, PLAN, batches, [])
    newest = [(name, team) for name, team, _, until in intervals(settings) if until == NEVER]
    assert newest == [("a", "6"), ("b", "6")]


def test_loading_again_loads_nothing_and_the_runs_own_tables_start_anew(landed: Landed) -> None:
    releases: list[dict[str, Any]] = []
    with open_warehouse(landed.settings) as connection:
        assert load_run(landed.settings, connection, PLAN, landed.batches, releases) == len(landed.batches)
        counts = {name: connection.table(f"run.{name}").count("*").fetchall() for name in RUN_TABLES}
        assert load_run(landed.settings, connection, PLAN, landed.batches, releases) == 0
        assert {name: connection.table(f"run.{name}").count("*").fetchall() for name in RUN_TABLES} == counts
        assert connection.execute("select count(*) from run.run_quarantined_rows").fetchall() == [(1,)]
    assert intervals(landed.settings) == landed.expected


def test_a_load_that_fails_leaves_the_build_file_as_it_was(settings: Settings) -> None:
    batches = deliver(settings, DELIVERIES[:2])
    with open_warehouse(settings) as connection:
        load_run(settings, connection, PLAN, batches[:1], [])
    before = intervals(settings)
    (settings.raw / batches[1].raw_file).unlink()
    with pytest.raises(Exception, match="No files found"), open_warehouse(settings) as connection:
        load_run(settings, connection, PLAN, batches, [])
    assert intervals(settings) == before
    with open_warehouse(settings) as connection:
        assert connection.execute("select count(*) from run.run_batches").fetchall() == [(1,)]


def test_every_table_of_the_contract_is_there_even_when_nobody_delivers_it(settings: Settings) -> None:
    with open_warehouse(settings) as connection:
        assert load_run(settings, connection, PLAN, [], []) == 0
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
    assert {name for (name,) in tables} == {table.raw_name for table in load_contract().tables}
