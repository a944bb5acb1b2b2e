"""Which system delivers which canonical table, in which files, with which map: ``sources.yml`` as typed values.

Nothing is read from an extract here; a mistake in the file is reported with its place and the mend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import yaml

from orchestration.extract.column_map import ColumnMap, SourcesError, column_map, known_zone, words
from orchestration.extract.contract import Contract, ContractError, Table, Tolerance, load_contract, read_yaml
from orchestration.extract.dialect import Dialect, DialectError
from orchestration.extract.query import Query, QueryError, pulled_files

MAPS = Path(__file__).with_name("maps")
FORMATS = ("csv", "jsonl", "parquet", "xlsx")
CADENCES, MODES = ("daily", "on_change"), ("incremental", "full")
DATE_FIELD, EXTRACTED_FIELD = "{delivery_date}", "{extracted_at}"

T = TypeVar("T")


@dataclass(frozen=True)
class Arrival:
    """What a file's name says: the day it speaks for, and when the sender took it from the system."""

    delivery_date: date
    extracted_at: datetime


@dataclass(frozen=True)
class Filter:
    """Rows whose ``column`` holds one of ``values`` are kept, or left out. No value counts as an empty word."""

    column: str
    values: tuple[str, ...]
    keeps: bool


@dataclass(frozen=True)
class Feed:
    """One canonical table as one system delivers it, in files below ``folder`` of the landing folder.

    ``mode``: an incremental file holds what was created or changed; what is absent from a full one is deleted.
    ``deleted`` is how the sender marks a record as gone. ``filters`` leave out rows that are no records of the table.
    ``has_totals``: without the sender's totals beside it (totals.py) a file is not taken. ``query``: how it is pulled
    from a database, None where it comes in files.
    """

    source_system: str
    folder: str
    table: Table
    files: tuple[str, ...]
    format: str
    dialect: Dialect
    delivered: str
    mode: str
    timezone: str
    columns: Mapping[str, ColumnMap]
    tolerance: Tolerance
    deleted: ColumnMap | None = None
    has_totals: bool = False
    filters: tuple[Filter, ...] = ()
    query: Query | None = None

    @property
    def name(self) -> str:
        return f"{self.source_system}.{self.table.entity}"

    @cached_property
    def sources(self) -> frozenset[str]:
        """All columns of a file that the map reads."""
        specs = (*self.columns.values(), *([self.deleted] if self.deleted else []))
        return frozenset(name for spec in specs for name in spec.sources) | {rule.column for rule in self.filters}

    def arrival(self, file_name: str) -> Arrival | None:
        """What the name of a file says; None when the file belongs to another feed.

        A name without the time of extraction says the end of its day, in the system's zone.
        """
        for pattern in self.files:
            match = re.fullmatch(_name_expression(pattern), file_name)
            if match is None:
                continue
            try:
                delivery_date = date.fromisoformat(match["delivery_date"])
                said = match.groupdict().get("extracted_at")
                local = datetime.fromisoformat(said) if said else None
            except ValueError as error:
                raise SourcesError(f"sources: {self.name}: {file_name} names a time that does not exist") from error
            extracted_at = local.replace(tzinfo=ZoneInfo(self.timezone)) if local else self.end_of_day(delivery_date)
            return Arrival(delivery_date, extracted_at.astimezone(UTC))
        return None

    def end_of_day(self, day: date) -> datetime:
        """The end of a day in the system's zone, as an instant in UTC."""
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.timezone)).astimezone(UTC)


def _name_expression(pattern: str) -> str:
    literal = re.escape(pattern)
    for field, digits in ((DATE_FIELD, r"\d{8}|\d{4}-\d{2}-\d{2}"), (EXTRACTED_FIELD, r"\d{8}T\d{6}")):
        literal = literal.replace(re.escape(field), f"(?P<{field.strip('{}')}>{digits})")
    return literal


@dataclass(frozen=True)
class Registry:
    """All feeds of an installation. ``company`` is how reports call it."""

    company: str
    start_date: date
    feeds: tuple[Feed, ...]

    def family(self, family: str) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if feed.table.family == family)

    def end_of_day(self, day: date) -> datetime:
        """The end of a day where it ends last among the systems, as an instant in UTC."""
        return max(feed.end_of_day(day) for feed in self.feeds)


def load_registry(path: Path, contract: Contract | None = None) -> Registry:
    """Read ``sources.yml``. Raises SourcesError saying what is wrong, where, and what was expected."""
    if not path.exists():
        raise SourcesError(
            f"sources: {path} does not exist; describe your extracts there, or run `make run` for the demo"
        )
    try:
        document = read_yaml(path)
    except yaml.YAMLError as error:
        raise SourcesError(f"sources: {path} is not YAML: {str(error).splitlines()[0]}") from error
    contract = contract or load_contract()
    start_date = _part("sources", document, "start_date", date, "a day like 2025-01-31")
    feeds = [
        feed_of(name, source, entity, body, contract)
        for name, source in _part("sources", document, "sources", dict, "one entry per system").items()
        for entity, body in _part(f"sources: {name}", source, "tables", dict, "one entry per table").items()
    ]
    return Registry(str(document.get("company", "The company")), start_date, tuple(feeds))


def _part(where: str, mapping: Any, key: str, kind: type[T], expected: str) -> T:
    """A part of the file that must be there and of its kind."""
    value = mapping.get(key) if isinstance(mapping, dict) else None
    if not isinstance(value, kind):
        raise SourcesError(f"{where}: {key} is {value!r}, expected {expected}")
    return value


def feed_of(name: str, source: dict[str, Any], entity: str, body: dict[str, Any], contract: Contract) -> Feed:
    """The feed of one entry of a system's tables. Raises SourcesError."""
    where = f"sources: {name}.{entity}"
    if not re.fullmatch(r"\w[\w.-]*", str(name)):
        raise SourcesError(f"{where}: the system is {name!r}, expected the name of a folder: letters, digits, . - _")
    family = _part(where, source, "family", str, "the family of its tables, as in crm")
    try:
        tolerance = Tolerance.of(source["quarantine"]) if "quarantine" in source else contract.tolerance
        table = contract.table(f"{family}.{entity}")
        query = Query.of(source, body)
        body = body | (pulled_files(entity) if query else {})
        dialect = Dialect.of(str(body.get("format")), body)
    except (ContractError, DialectError, QueryError) as error:
        raise SourcesError(f"{where}: {error}") from error
    for what, known in (("format", FORMATS), ("delivered", CADENCES)):
        _expect(where, what, _part(where, body, what, str, f"one of {', '.join(known)}"), known)
    files = body.get("files")
    files = tuple([files] if isinstance(files, str) else files or [])
    if not files or any(not isinstance(name, str) or name.count(DATE_FIELD) != 1 or "/" in name for name in files):
        raise SourcesError(
            f"{where}: files is {body.get('files')!r}, expected a file name with {DATE_FIELD} in it, or a list of them"
        )
    zone = known_zone(where, _part(where, source, "timezone", str, "a name like Asia/Shanghai"))
    said = _said(where, source.get("map"), table, body)
    _expect(where, "mode", str(said.get("mode", MODES[0])), MODES)
    told = _part(where, said, "columns", dict, "a map of the columns; or the system names a shipped map")
    return Feed(
        source_system=name,
        folder=str(source.get("folder", name)),
        table=table,
        files=files,
        format=body["format"],
        dialect=dialect,
        delivered=body["delivered"],
        mode=str(said.get("mode", MODES[0])),
        timezone=zone,
        columns=_columns(where, table, told, zone),
        tolerance=tolerance,
        deleted=column_map(f"{where}.deleted", said["deleted"], zone) if "deleted" in said else None,
        has_totals=bool(said.get("has_totals", False)),
        filters=_filters(where, said),
        query=query,
    )


def _said(where: str, map_name: object, table: Table, body: dict[str, Any]) -> dict[str, Any]:
    """What is said of the table: by the named map, and over it by sources.yml; there a column without an entry is not
    delivered. Raises SourcesError when there is no such map, or it does not have the table."""
    if map_name is None:
        return body
    path = MAPS / f"{map_name}.yml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in MAPS.glob("*.yml")))
        raise SourcesError(f"{where}: map is {map_name!r}, expected one of {known}")
    tables = _part(f"{where}: map {map_name}", read_yaml(path), "tables", dict, "one entry per table")
    if table.name not in tables:
        own = _part(where, body, "columns", dict, f"a map of its own: map {map_name} has only {', '.join(tables)}")
        return body | {"columns": own}
    shipped: dict[str, Any] = tables[table.name]
    return shipped | body | {"columns": shipped["columns"] | (body.get("columns") or {})}


def _columns(where: str, table: Table, told: Mapping[str, Any], zone: str) -> dict[str, ColumnMap]:
    """The entries that are not empty. Raises SourcesError for a column the table lacks, or needs and is not told."""
    mapped = {name: column_map(f"{where}.{name}", spec, zone) for name, spec in told.items() if spec is not None}
    known = [column.name for column in table.columns]
    if unknown := sorted(set(mapped) - set(known)):
        raise SourcesError(
            f"{where}: maps unknown columns {unknown}, expected columns of {table.name}: {sorted(known)}"
        )
    if missing := [column.name for column in table.columns if column.is_required and column.name not in mapped]:
        raise SourcesError(f"{where}: required columns {missing} of {table.name} are not mapped")
    return mapped


def _filters(where: str, body: Mapping[str, Any]) -> tuple[Filter, ...]:
    found = []
    for option, keeps in (("only", True), ("without", False)):
        for column, values in dict(body.get(option, {})).items():
            listed = values if isinstance(values, list) else [values]
            if not listed or any(isinstance(value, dict | list) for value in listed):
                raise SourcesError(f"{where}: {option} of {column} is {values!r}, expected a word or a list of words")
            found.append(Filter(str(column), tuple(words(value) for value in listed), keeps))
    return tuple(found)


def _expect(where: str, what: str, got: str, expected: tuple[str, ...]) -> None:
    if got not in expected:
        raise SourcesError(f"{where}: {what} is {got!r}, expected one of {', '.join(expected)}")
