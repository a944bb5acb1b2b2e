"""Promises of the build file: it knows at any instant what had been said by then, in whatever order it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from installation import PROVE, settings_of

from data_quality.conservation import conservation
from data_quality.reconciliation import reconcile
from orchestration import warehouse
from orchestration.extract import landing
from orchestration.extract.contract import load_contract
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import load_registry
from orchestration.plan import PlannedDay
from orchestration.release.content_hash import content_hash
from orchestration.release.publications import Release
from orchestration.settings import Settings
from orchestration.warehouse import AlteredRaw, load_run, open_warehouse
from orchestration.warehouse_tables import RUN_TABLES

SOURCES = """
start_date: 2025-01-01
sources:
  hr:
    family: crm
    timezone: UTC
    tables:
      owner:
        files: ["owner_{delivery_date}.csv", "owner_{delivery_date}_at_{extracted_at}.csv"]
        format: csv
        delivered: daily
        mode: MODE
        deleted: {column: gone, values: {y: "true"}}
        columns: {owner_id: id, team_id: team, level: {column: level}}
"""
DAY = date(2025, 1, 1)
PLAN = [PlannedDay(DAY, datetime(2025, 1, 2, tzinfo=UTC), "2025.1")]
PROJECT = "the models as they are"

# What is known of each record at one instant: record → team.
State = dict[str, str]


@dataclass(frozen=True)
class File:
    """A file as the sender writes it: "id team" records, "id -" for one that is gone, "id !" for one that is refused.

    ``late``: hours between the end of the day it speaks for and its extraction; 0 is not said in its name.
    """

    offset: int
    records: tuple[str, ...]
    late: int = 0

    @property
    def day(self) -> date:
        return DAY + timedelta(days=self.offset)

    @property
    def extracted_at(self) -> datetime:
        return datetime(2025, 1, 2, tzinfo=UTC) + timedelta(days=self.offset, hours=self.late)

    @property
    def name(self) -> str:
        said = f"_at_{self.extracted_at:%Y%m%dT%H%M%S}" if self.late else ""
        return f"owner_{self.day:%Y%m%d}{said}.csv"

    @property
    def content(self) -> str:
        lines = [record.split(" ") for record in self.records]
        return "id,team,level,gone\n" + "".join(
            f"{name},{team},{'x' if team == '!' else ''},{'y' if team == '-' else ''}\n" for name, team in lines
        )


def settled(settings: Settings, mode: str = "incremental") -> Settings:
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(SOURCES.replace("MODE", mode), encoding="utf-8")
    return settings


def deliver(settings: Settings, files: Sequence[File], decided_until: datetime | None = None) -> list[Batch]:
    """Write the files and land them together."""
    folder = settings.landing / "hr"
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.name).write_text(file.content, encoding="utf-8")
    pending = landing.pending_deliveries(settings, load_registry(settings.sources).feeds, date.max)
    return landing.commit(settings, landing.prepare(settings, pending), decided_until)


def load(settings: Settings, batches: Sequence[Batch]) -> None:
    with open_warehouse(settings) as connection:
        load_run(settings, connection, PLAN, batches, [], run_id="one", project=PROJECT)


def known(settings: Settings, instant: datetime) -> State:
    """What the build file says is known at an instant; a record twice at once would be a duplicate."""
    with open_warehouse(settings) as connection:
        found = connection.execute(
            "select source_record_id, team_id from raw.raw_crm__owner "
            "where not is_deleted and known_from <= ? and ? < known_to",
            [instant, instant],
        ).fetchall()
    assert len(found) == len(dict(found)), f"a record is current twice at {instant}: {sorted(found)}"
    return dict(found)


def said(files: Sequence[tuple[File, datetime]], instant: datetime, mode: str) -> State:
    """What the senders have said by an instant, from the files alone: (file, known_at) in the order of landing."""
    newest: dict[date, File] = {}
    for file, known_at in files:
        standing = newest.get(file.day)
        if known_at <= instant and (standing is None or file.extracted_at >= standing.extracted_at):
            newest[file.day] = file
    state: State = {}
    for day in sorted(newest):
        if mode == "full":
            state = {}
        for record in newest[day].records:
            name, team = record.split(" ")
            if team == "-":
                state.pop(name, None)
            elif team != "!":
                state[name] = team
    return state


RECORDS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2", "3", "-", "!"]), max_size=4).map(
    lambda records: tuple(f"{name} {team}" for name, team in sorted(records.items()))
)
FILES = st.builds(File, st.integers(0, 3), RECORDS, st.sampled_from([0, 0, 0, 5, 30, 60]))
# Days of landing: the files that arrive together, and whether a decision is made after them.
SEQUENCES = st.lists(st.tuples(st.lists(FILES, min_size=1, max_size=3), st.booleans()), min_size=1, max_size=5)


@hypothesis.settings(max_examples=200 if PROVE else 20, deadline=None)
@given(sequence=SEQUENCES, mode=st.sampled_from(["incremental", "full"]))
@example(  # restated and back again
    sequence=[([File(0, ("a 1", "b 1")), File(0, ("a 2",), 5)], True), ([File(0, ("a 1", "b 1"), 30)], True)],
    mode="incremental",
)
@example(  # restated and back again before any decision: what the restatement left out is there again
    sequence=[
        ([File(0, ("a 1", "b 1"), 5)], False),
        ([File(0, ("b 2",), 5)], False),
        ([File(0, ("a 1", "b 1"), 5)], False),
    ],
    mode="incremental",
)
@example(  # yesterday's file arrives tomorrow and says of a record what a later one has overruled
    sequence=[([File(0, ("a 1",)), File(2, ("a 3",))], True), ([File(1, ("a 2", "b 2"))], True)], mode="incremental"
)
@example(sequence=[([File(0, ("a 1",))], True), ([File(1, ("a -", "b 1"))], True)], mode="incremental")
@example(  # comes late, was overruled before it came, and is said again later
    sequence=[([File(0, (), 5)], True), ([File(0, ("a 1",)), File(0, ("a 1",), 30)], True)], mode="incremental"
)
@example(
    sequence=[([File(0, ("a 1", "b 1"))], True), ([File(1, ("b 1",))], True), ([File(1, ("a 1",), 5)], False)],
    mode="full",
)
def test_any_sequence_of_deliveries_is_what_was_said_and_never_changes_what_was_decided(
    sequence: list[tuple[list[File], bool]], mode: str
) -> None:
    with TemporaryDirectory() as folder:
        settings = settled(settings_of(Path(folder) / "home"), mode)
        decided: dict[datetime, State] = {}
        batches: list[Batch] = []
        told: list[tuple[File, datetime]] = []
        for files, is_decided in sequence:
            arrived = {file.name: file for file in files}
            landed = deliver(settings, list(arrived.values()), max(decided, default=None))
            told += [(arrived[Path(batch.file).name], batch.known_at) for batch in landed]
            batches += landed
            load(settings, batches)
            greatest = max(batch.known_at for batch in batches)
            if is_decided:
                decided.setdefault(greatest, known(settings, greatest))
        instants = sorted({batch.known_at for batch in batches})
        assert {at: known(settings, at) for at in instants} == {at: said(told, at, mode) for at in instants}
        assert {at: known(settings, at) for at in decided} == decided
        afresh = replace(settings, home=Path(folder) / "afresh")
        afresh.home.mkdir()
        for place in ("raw", "quarantine"):
            (settings.home / place).mkdir(exist_ok=True)
            (afresh.home / place).symlink_to(settings.home / place)
        load(afresh, batches)
        assert content_hash_of(afresh) == content_hash_of(settings)


def content_hash_of(settings: Settings) -> str:
    columns = [(name, kind) for name, kind in load_contract().table("crm.owner").raw_columns.items()]
    with open_warehouse(settings) as connection:
        intervals = [("known_from", "timestamptz"), ("known_to", "timestamptz"), ("nth_interval", "bigint")]
        return content_hash(connection, "raw.raw_crm__owner", [*columns, *intervals])


@dataclass(frozen=True)
class Landed:
    settings: Settings
    batches: tuple[Batch, ...]


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    settings = settled(settings_of(tmp_path_factory.mktemp("landed")))
    files = [File(0, ("a 1", "b 1", "c 1")), File(1, ("a 2",)), File(2, ("a 3", "b 3")), File(2, ("a 4", "b 3"), 5)]
    return Landed(settings, tuple(deliver(settings, [*files, File(3, ()), File(4, ("c 5", "d 5", "e !"))])))


def test_a_file_corrected_on_its_own_day_replaces_the_first_whatever_its_bytes(settings: Settings) -> None:
    """Both are known at the same instant; the order of landing decides and not that of their hashes."""
    settled(settings)
    batches: list[Batch] = []
    for version in range(1, 7):
        batches += deliver(settings, [File(0, (f"a {version}", f"b {version}"))])
    load(settings, batches)
    assert known(settings, batches[-1].known_at) == {"a": "6", "b": "6"}


def test_loading_again_loads_nothing_and_the_runs_own_tables_start_anew(landed: Landed) -> None:
    releases: list[Release] = []
    with open_warehouse(landed.settings) as connection:
        new = load_run(landed.settings, connection, PLAN, landed.batches, releases, run_id="one", project=PROJECT)
        assert new == len(landed.batches)
        counts = {name: connection.table(f"run.{name}").count("*").fetchall() for name in RUN_TABLES}
        assert load_run(landed.settings, connection, PLAN, landed.batches, releases, run_id="one", project=PROJECT) == 0
        assert {name: connection.table(f"run.{name}").count("*").fetchall() for name in RUN_TABLES} == counts
        assert connection.execute("select count(*) from run.run_quarantined_rows").fetchall() == [(1,)]


def test_rows_set_aside_load_together_whatever_rule_they_broke(settings: Settings) -> None:
    """A file of broken lines alone names no column; it must not tell that of the next file's rows."""
    settled(settings)
    folder = settings.landing / "hr"
    folder.mkdir(parents=True)
    (folder / "owner_20250101.csv").write_text("id,team,level,gone\na,1,,\nb\n", encoding="utf-8")
    (folder / "owner_20250102.csv").write_text("id,team,level,gone\nc,2,x,\nd,2,,\n", encoding="utf-8")
    load(settings, deliver(settings, []))
    with open_warehouse(settings) as connection:
        found = connection.execute("select rule, column_name from run.run_quarantined_rows order by rule").fetchall()
    assert [column for _, column in found] == [None, "level"]


def test_a_load_that_fails_leaves_the_build_file_as_it_was(settings: Settings) -> None:
    settled(settings)
    batches = deliver(settings, [File(0, ("a 1", "b 1")), File(1, ("a 2",))])
    load(settings, batches[:1])
    before = content_hash_of(settings)
    (settings.raw / str(batches[1].raw_file)).unlink()
    with pytest.raises(Exception, match="no file, expected"), open_warehouse(settings) as connection:
        load_run(settings, connection, PLAN, batches, [], run_id="one", project=PROJECT)
    assert content_hash_of(settings) == before
    with open_warehouse(settings) as connection:
        assert connection.execute("select count(*) from run.run_batches").fetchall() == [(1,)]


def test_a_raw_file_that_was_altered_is_refused(settings: Settings) -> None:
    settled(settings)
    (batch,) = deliver(settings, [File(0, ("a 1",))])
    file = settings.raw / str(batch.raw_file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(AlteredRaw, match="as landed"):
        load(settings, [batch])


def test_a_file_that_landed_before_a_column_was_added_loads_without_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(settings)
    batches = deliver(settings, [File(0, ("a 1", "b 1"))])
    load(settings, batches)
    contract = load_contract()
    owner = contract.table("crm.owner")
    grown = replace(owner, columns=(*owner.columns, replace(owner.columns[0], name="nickname")))
    tables = tuple(grown if table is owner else table for table in contract.tables)
    monkeypatch.setattr(warehouse, "load_contract", lambda: replace(contract, tables=tables))
    load(settings, batches)
    with open_warehouse(settings) as connection:
        found = connection.execute("select owner_id, nickname from raw.raw_crm__owner order by all").fetchall()
        assert found == [("a", None), ("b", None)]
        assert [total for total in reconcile(connection, conservation([grown])) if total.status != "pass"] == []


def test_every_table_of_the_contract_is_there_even_when_nobody_delivers_it(settings: Settings) -> None:
    with open_warehouse(settings) as connection:
        assert load_run(settings, connection, PLAN, [], [], run_id="one", project=PROJECT) == 0
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and table_name like 'raw_%'"
        ).fetchall()
    assert {name for (name,) in tables} == {table.raw_name for table in load_contract().tables}
