"""What would become of a file: what its columns are read as, what is missing, what looks wrong, what is rejected.

A file that a feed of ``sources.yml`` names is read as that feed says; for any other an entry is proposed. Everything is
done in a folder that is gone afterwards: nothing lands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from orchestration.extract import propose, readers, suggest
from orchestration.extract.candidate import Candidate, Delivery, build_candidate
from orchestration.extract.column_map import ColumnMap, SourcesError, column_map
from orchestration.extract.contract import Column, Table, Tolerance, load_contract
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.landing import file_sha256
from orchestration.extract.physical import HeldFile
from orchestration.extract.registry import Arrival, Feed, Registry, feed_of
from orchestration.extract.surprises import Rejection, surprises
from orchestration.extract.vault import Pseudonymiser
from orchestration.settings import Settings

EVERYTHING = Tolerance(Decimal(1), 0)
NOBODY = "nobody's yet"


@dataclass(frozen=True)
class Entry:
    """One canonical column: what it is made from, and how many of the accepted records have it."""

    column: Column
    source: str | None
    is_unverified: bool
    filled: int


@dataclass(frozen=True)
class MapReport:
    """``candidate`` is None where too little is mapped to read the file; ``held`` says why landing would not take it.

    ``unread``: columns of the file that nothing reads, each with the canonical column that it may be. ``proposed``:
    what to begin with, where the file is nobody's yet.
    """

    file: str
    feed: str
    table: Table
    candidate: Candidate | None
    held: str | None
    entries: tuple[Entry, ...]
    unread: tuple[tuple[str, str | None], ...]
    rejections: tuple[Rejection, ...] = ()
    surprises: tuple[str, ...] = ()
    proposed: propose.Proposed | None = None

    @property
    def unmapped_required(self) -> tuple[str, ...]:
        return tuple(entry.column.name for entry in self.entries if entry.column.is_required and entry.source is None)


def report_on(
    settings: Settings, file: Path, registry: Registry | None, table_name: str | None = None
) -> list[MapReport]:
    """One report for each feed that reads the file, else one with a proposal. Raises HeldFile where it is no file, and
    ContractError for a table that there is not."""
    if not file.is_file():
        raise HeldFile(f"{file} is not there, expected a file")
    feeds = [feed for feed in registry.feeds if feed.arrival(file.name)] if registry and table_name is None else []
    feeds = [feed for feed in feeds if feed.folder == file.parent.name] or feeds
    with (
        TemporaryDirectory() as folder,
        connect_with_excel(settings.home / "extensions", temp_directory=f"{folder}/spill") as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        Pseudonymiser(b"for a look only: nothing is kept").register(connection)
        look = _Look(connection, file, replace(settings, home=Path(folder)))
        return [look.report(feed) for feed in feeds] or [look.proposal(table_name)]


class _Look:
    """One file looked at: its sample, and what landing makes of it under a feed, in a home of its own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, file: Path, settings: Settings) -> None:
        settings.scratch.mkdir(parents=True)
        self.connection, self.file, self.settings = connection, file, settings

    def proposal(self, table_name: str | None) -> MapReport:
        proposed = propose.propose(self.connection, self.file, self.settings, table_name)
        table, entry = proposed.table, proposed.sayable
        try:
            source = {"family": table.family, "timezone": "UTC"}
            feed = feed_of("proposed", source, table.entity, entry | {"files": "{delivery_date}"}, load_contract())
        except SourcesError:  # what is required and not found is told by the entries
            columns = {name: column_map(name, spec, "UTC") for name, spec in entry["columns"].items()}
            entries, unread = _entries(table, columns, {}), _unread(table, columns, proposed.profiles)
            return MapReport(self.file.name, NOBODY, table, None, None, entries, unread, proposed=proposed)
        return replace(self.report(feed), feed=NOBODY, proposed=proposed)

    def report(self, feed: Feed) -> MapReport:
        arrival = feed.arrival(self.file.name) or Arrival(
            date.min, datetime.fromtimestamp(self.file.stat().st_mtime, UTC)
        )
        delivery = Delivery(replace(feed, tolerance=EVERYTHING), self.file, arrival)
        profiles = suggest.profiles(propose.sample(self.connection, self.file, feed, self.settings))
        candidate = build_candidate(self.connection, delivery, file_sha256(self.file), self.settings)
        held = candidate.held
        if held is None and not feed.tolerance.bears(candidate.quarantined, candidate.records):
            held = f"{candidate.quarantined} of {candidate.records} records break a rule, more than are borne"
        rejections = self._rejections(feed.table, candidate)
        return MapReport(
            file=self.file.name,
            feed=feed.name,
            table=feed.table,
            candidate=candidate,
            held=held,
            entries=_entries(feed.table, feed.columns, self._filled(feed.table, candidate)),
            unread=_unread(feed.table, feed.columns, profiles),
            rejections=rejections,
            surprises=tuple(surprises(self.connection, feed, candidate, rejections)),
        )

    def _filled(self, table: Table, candidate: Candidate) -> dict[str, int]:
        if candidate.data_file is None or not candidate.accepted:
            return {}
        counts = ", ".join(f"count({column.name})" for column in table.columns)
        row = self.connection.execute(f"select {counts} from {readers.quoted(candidate.data_file)}").fetchone()
        return dict(zip((column.name for column in table.columns), row or (), strict=False))

    def _rejections(self, table: Table, candidate: Candidate) -> tuple[Rejection, ...]:
        if candidate.quarantine_file is None:
            return ()
        private = {column.name for column in table.columns if column.is_private}
        found = self.connection.execute(
            f"""
            select rule, column_name, count(*), list(source_line order by source_line)[1:3],
                list(distinct raw_text order by raw_text)[1:200]
            from {readers.quoted(candidate.quarantine_file)} group by rule, column_name order by count(*) desc, 1, 2
            """
        ).fetchall()
        return tuple(
            Rejection(rule, name, count, tuple(lines), () if name in private or name is None else tuple(texts or ()))
            for rule, name, count, lines, texts in found
        )


def _entries(table: Table, columns: Mapping[str, ColumnMap], filled: Mapping[str, int]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            column,
            columns[column.name].described if column.name in columns else None,
            column.name in columns and columns[column.name].unverified,
            filled.get(column.name, 0),
        )
        for column in table.columns
    )


def _unread(
    table: Table, columns: Mapping[str, ColumnMap], profiles: Sequence[suggest.Profile]
) -> tuple[tuple[str, str | None], ...]:
    read = {name for spec in columns.values() for name in spec.sources}
    left = [profile for profile in profiles if profile.name not in read]
    unmapped = replace(table, columns=tuple(column for column in table.columns if column.name not in columns))
    guesses = {guess.profile.name: guess.column.name for guess in suggest.proposals(unmapped, left)}
    return tuple((profile.name, guesses.get(profile.name)) for profile in left)
