"""Which system delivers which canonical table, in which files, with which map: ``sources.yml`` as typed values.

Nothing is read from an extract here; a mistake in the file is reported with its place and the mend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from orchestration.extract.contract import Contract, Table, load_contract

MAPS = Path(__file__).with_name("maps")
FORMATS = ("csv", "parquet", "xlsx")
CADENCES = ("daily", "on_change")
DATE_FIELD = "{delivery_date}"


class SourcesError(ValueError):
    """``sources.yml`` or a map it names does not describe the extracts."""


@dataclass(frozen=True)
class ColumnMap:
    """How one canonical column is made: from a source column, a constant, or the local date of a timestamp."""

    column: str | None = None
    constant: str | None = None
    local_date_of: str | None = None
    values: tuple[tuple[str, str], ...] = ()
    timezone: str | None = None
    negate: bool = False


@dataclass(frozen=True)
class Feed:
    """One canonical table as one system delivers it."""

    source_system: str
    table: Table
    files: str
    format: str
    encoding: str
    delivered: str
    timezone: str
    columns: Mapping[str, ColumnMap]

    @property
    def name(self) -> str:
        return f"{self.source_system}.{self.table.entity}"

    def delivery_date(self, file_name: str) -> date | None:
        """The day a file speaks for, from its name; None when the file belongs to another feed."""
        before, _, after = self.files.partition(DATE_FIELD)
        match = re.fullmatch(re.escape(before) + r"(\d{8})" + re.escape(after), file_name)
        return date.fromisoformat(match[1]) if match else None

    def known_at(self, delivery_date: date) -> datetime:
        """The instant at which a delivery was known: the end of the day it speaks for, in the system's zone."""
        return datetime.combine(delivery_date + timedelta(days=1), time(), ZoneInfo(self.timezone))


@dataclass(frozen=True)
class Registry:
    """All feeds of an installation. ``company`` is how reports call it."""

    company: str
    start_date: date
    feeds: tuple[Feed, ...]

    def family(self, family: str) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if feed.table.family == family)


def load_registry(path: Path, contract: Contract | None = None) -> Registry:
    """Read ``sources.yml``. Raises SourcesError saying what is wrong, where, and what was expected."""
    if not path.exists():
        raise SourcesError(
            f"sources: {path} does not exist; describe your extracts there, or run `make run` for the demo"
        )
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract = contract or load_contract()
    feeds = [
        _feed(contract, name, source, entity, body)
        for name, source in document["sources"].items()
        for entity, body in source["tables"].items()
    ]
    company = str(document.get("company", "The company"))
    return Registry(company=company, start_date=document["start_date"], feeds=tuple(feeds))


def _feed(contract: Contract, name: str, source: dict[str, Any], entity: str, body: dict[str, Any]) -> Feed:
    where = f"sources: {name}.{entity}"
    table = contract.table(f"{source['family']}.{entity}")
    _expect(where, "format", body["format"], FORMATS)
    _expect(where, "delivered", body["delivered"], CADENCES)
    if DATE_FIELD not in body["files"] or "/" in body["files"]:
        raise SourcesError(f"{where}: files is {body['files']!r}, expected a file name with {DATE_FIELD} in it")
    try:
        ZoneInfo(source["timezone"])
    except ZoneInfoNotFoundError as error:
        raise SourcesError(
            f"{where}: timezone is {source['timezone']!r}, expected a name like Asia/Shanghai"
        ) from error
    columns = body.get("columns") or _named_map(where, source["map"], entity)
    mapped = {column: _column_map(f"{where}.{column}", spec) for column, spec in columns.items()}
    _check_columns(where, table, mapped)
    return Feed(
        source_system=name,
        table=table,
        files=body["files"],
        format=body["format"],
        encoding=body.get("encoding", "utf-8"),
        delivered=body["delivered"],
        timezone=source["timezone"],
        columns=mapped,
    )


def _named_map(where: str, name: str, entity: str) -> dict[str, Any]:
    path = MAPS / f"{name}.yml"
    if not path.exists():
        known = sorted(file.stem for file in MAPS.glob("*.yml"))
        raise SourcesError(f"{where}: map is {name!r}, expected one of {known} or inline columns")
    columns: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))[entity]
    return columns


def _column_map(where: str, spec: str | dict[str, Any]) -> ColumnMap:
    if isinstance(spec, str):
        return ColumnMap(column=spec)
    unknown = set(spec) - {"column", "constant", "local_date_of", "values", "timezone", "sign"}
    origins = [origin for origin in ("column", "constant", "local_date_of") if origin in spec]
    if unknown or len(origins) != 1 or spec.get("sign", "keep") not in ("keep", "negate"):
        raise SourcesError(
            f"{where}: map is {spec}, expected one of column, constant, local_date_of (+ values, timezone, sign)"
        )
    return ColumnMap(
        column=spec.get("column"),
        constant=None if "constant" not in spec else str(spec["constant"]),
        local_date_of=spec.get("local_date_of"),
        values=tuple((str(key), str(value)) for key, value in spec.get("values", {}).items()),
        timezone=spec.get("timezone"),
        negate=spec.get("sign") == "negate",
    )


def _check_columns(where: str, table: Table, mapped: Mapping[str, ColumnMap]) -> None:
    known = {column.name for column in table.columns}
    unknown = sorted(set(mapped) - known)
    if unknown:
        raise SourcesError(
            f"{where}: maps unknown columns {unknown}, expected columns of {table.name}: {sorted(known)}"
        )
    missing = [column.name for column in table.columns if column.is_required and column.name not in mapped]
    if missing:
        raise SourcesError(f"{where}: required columns {missing} of {table.name} are not mapped")


def _expect(where: str, what: str, got: str, expected: tuple[str, ...]) -> None:
    if got not in expected:
        raise SourcesError(f"{where}: {what} is {got!r}, expected one of {', '.join(expected)}")
