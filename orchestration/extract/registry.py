"""Which system delivers which canonical table, in which files, with which map: ``sources.yml`` as typed values.

Nothing is read from an extract here; a mistake in the file is reported with its place and the mend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from orchestration.errors import PlainError
from orchestration.extract.contract import Contract, ContractError, Table, Tolerance, load_contract, read_yaml
from orchestration.extract.dialect import Dialect, DialectError
from orchestration.extract.query import Query, QueryError, pulled_files

MAPS = Path(__file__).with_name("maps")
FORMATS = ("csv", "jsonl", "parquet", "xlsx")
CADENCES, MODES = ("daily", "on_change"), ("incremental", "full")
DATE_FIELD, EXTRACTED_FIELD = "{delivery_date}", "{extracted_at}"

T = TypeVar("T")


class SourcesError(PlainError):
    """``sources.yml`` or a map it names does not describe the extracts."""


@dataclass(frozen=True)
class ColumnMap:
    """How one canonical column is made: from a source column, a constant, or the local date of a timestamp.

    ``formats`` are the ways a date or time may be written, as strptime says them; none means ISO 8601.
    """

    column: str | None = None
    constant: str | None = None
    local_date_of: str | None = None
    values: tuple[tuple[str, str], ...] = ()
    timezone: str | None = None
    negate: bool = False
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrival:
    """What a file's name says: the day it speaks for, and when the sender took it from the system."""

    delivery_date: date
    extracted_at: datetime


@dataclass(frozen=True)
class Feed:
    """One canonical table as one system delivers it.

    ``mode``: an incremental file holds what was created or changed; what is absent from a full one is deleted.
    ``deleted`` is how the sender marks a record as gone; ``query`` how it is pulled, None where it comes in files.
    """

    source_system: str
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
    query: Query | None = None

    @property
    def name(self) -> str:
        return f"{self.source_system}.{self.table.entity}"

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
    for field, digits in ((DATE_FIELD, r"\d{8}"), (EXTRACTED_FIELD, r"\d{8}T\d{6}")):
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
        _feed(contract, name, source, entity, body)
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


def _feed(contract: Contract, name: str, source: dict[str, Any], entity: str, body: dict[str, Any]) -> Feed:
    where = f"sources: {name}.{entity}"
    if not re.fullmatch(r"\w[\w.-]*", str(name)):
        raise SourcesError(f"{where}: the system is {name!r}, expected the name of a folder: letters, digits, . - _")
    family = _part(where, source, "family", str, "the family of the system: crm, sales or finance")
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
    _expect(where, "mode", str(body.get("mode", MODES[0])), MODES)
    files = body.get("files")
    files = tuple([files] if isinstance(files, str) else files or [])
    if not files or any(not isinstance(name, str) or name.count(DATE_FIELD) != 1 or "/" in name for name in files):
        raise SourcesError(
            f"{where}: files is {body.get('files')!r}, expected a file name with {DATE_FIELD} in it, or a list of them"
        )
    columns = body.get("columns") or _named_map(where, source.get("map"), entity)
    mapped = {column: _column_map(f"{where}.{column}", spec) for column, spec in columns.items()}
    _check_columns(where, table, mapped)
    return Feed(
        source_system=name,
        table=table,
        files=files,
        format=body["format"],
        dialect=dialect,
        delivered=body["delivered"],
        mode=str(body.get("mode", MODES[0])),
        timezone=_zone(where, _part(where, source, "timezone", str, "a name like Asia/Shanghai")),
        columns=mapped,
        tolerance=tolerance,
        deleted=_column_map(f"{where}.deleted", body["deleted"]) if "deleted" in body else None,
        query=query,
    )


def _zone(where: str, zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SourcesError(f"{where}: timezone is {zone!r}, expected a name like Asia/Shanghai") from error
    return zone


def _named_map(where: str, name: object, entity: str) -> dict[str, Any]:
    path = MAPS / f"{name}.yml"
    if not path.exists():
        known = sorted(file.stem for file in MAPS.glob("*.yml"))
        raise SourcesError(f"{where}: map is {name!r}, expected one of {known} or inline columns")
    return _part(f"{where}: map {name}", read_yaml(path), entity, dict, "its columns")


def _column_map(where: str, spec: object) -> ColumnMap:
    if isinstance(spec, str):
        return ColumnMap(column=spec)
    options = spec if isinstance(spec, dict) else {}
    unknown = set(options) - {"column", "constant", "local_date_of", "values", "timezone", "sign", "formats"}
    origins = [origin for origin in ("column", "constant", "local_date_of") if origin in options]
    if unknown or len(origins) != 1 or options.get("sign", "keep") not in ("keep", "negate"):
        raise SourcesError(
            f"{where}: map is {spec!r}, expected one of column, constant, local_date_of (+ values, timezone, "
            "sign, formats) or a column's name in quotes"
        )
    return ColumnMap(
        column=options.get("column"),
        constant=None if "constant" not in options else str(options["constant"]),
        local_date_of=options.get("local_date_of"),
        values=tuple((str(key), str(value)) for key, value in options.get("values", {}).items()),
        timezone=_zone(where, options["timezone"]) if "timezone" in options else None,
        negate=options.get("sign") == "negate",
        formats=tuple(str(form) for form in options.get("formats", ())),
    )


def _check_columns(where: str, table: Table, mapped: Mapping[str, ColumnMap]) -> None:
    known = {column.name for column in table.columns}
    if unknown := sorted(set(mapped) - known):
        raise SourcesError(
            f"{where}: maps unknown columns {unknown}, expected columns of {table.name}: {sorted(known)}"
        )
    if missing := [column.name for column in table.columns if column.is_required and column.name not in mapped]:
        raise SourcesError(f"{where}: required columns {missing} of {table.name} are not mapped")


def _expect(where: str, what: str, got: str, expected: tuple[str, ...]) -> None:
    if got not in expected:
        raise SourcesError(f"{where}: {what} is {got!r}, expected one of {', '.join(expected)}")
