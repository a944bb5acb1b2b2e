"""An entry of ``sources.yml`` for a file that nobody has described, with what is left to say marked in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from orchestration.extract import sniff, suggest
from orchestration.extract.column_map import ColumnMap
from orchestration.extract.contract import Column, Table, load_contract
from orchestration.extract.readers import identifier, source_rows
from orchestration.extract.registry import DATE_FIELD, Feed, feed_of
from orchestration.extract.suggest import Profile, Proposal
from orchestration.settings import Settings

SAMPLE = 2_000  # records that suggestions are made from
MOST_WORDS = 30  # of a column that is taken for words of a closed list
DAY_IN_NAME = re.compile(r"\d{4}-\d{2}-\d{2}|(?<!\d)\d{8}(?!\d)")
TO_SAY = "???"

Entry = dict[str, Any]


@dataclass(frozen=True)
class Proposed:
    """An entry for ``table``. A column of it that is None is required, and nothing in the file is like it."""

    table: Table
    entry: Entry
    profiles: tuple[Profile, ...]

    @property
    def sayable(self) -> Entry:
        """The entry without what is left to say."""
        columns = {name: spec for name, spec in self.entry["columns"].items() if spec is not None}
        return self.entry | {"columns": columns}


def propose(connection: duckdb.DuckDBPyConnection, file: Path, settings: Settings, table_name: str | None) -> Proposed:
    """Look at a sample of the file and propose its entry, for the table named or the likeliest. Raises HeldFile."""
    with file.open("rb") as stream:
        head = stream.read(sniff.LOOKED_AT_BYTES)
    written = sniff.written(file, head)
    entry: Entry = {
        "files": DAY_IN_NAME.sub(DATE_FIELD, file.name, count=1),
        "format": written.format,
        **written.options,
        "delivered": "daily",
    }
    rows = sample(connection, file, _bare_feed(entry), settings)
    if written.format == "csv":
        entry |= sniff.number_style([text for row in rows for text in row.values() if text])
    profiles = suggest.profiles(rows, entry.get("decimal", "."))
    table = load_contract().table(table_name) if table_name else suggest.likely_table(profiles)
    return Proposed(table, entry | {"columns": _columns(table, profiles, len(rows))}, tuple(profiles))


def sample(
    connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed, settings: Settings
) -> list[dict[str, str | None]]:
    """The first records of a file as texts, all columns of them. Raises HeldFile."""
    copies = settings.scratch / "sample"
    found = source_rows(connection, file, feed, copies, settings).columns
    of_all = replace(feed, columns={name: ColumnMap(columns=(name,)) for name in found}, deleted=None, filters=())
    rows = source_rows(connection, file, of_all, copies, settings)
    names = ", ".join(f"cast({identifier(name)} as varchar)" for name in found)
    records = connection.execute(f"select {names} from {rows.relation} limit {SAMPLE}").fetchall()
    return [dict(zip(found, record, strict=True)) for record in records]


def _bare_feed(entry: Mapping[str, Any]) -> Feed:
    """A feed that reads a file as the entry says, and maps nothing."""
    table = load_contract().tables[0]
    required = {column.name: {"constant": ""} for column in table.columns if column.is_required}
    body = {**entry, "files": DATE_FIELD, "columns": required}
    return feed_of("nobody", {"family": table.family, "timezone": "UTC"}, table.entity, body, load_contract())


def rendered(proposed: Proposed) -> str:
    """The entry as YAML for below ``tables:``, what is left to say as comments and ``???``."""
    table, entry = proposed.table, proposed.entry
    lines = [f"{table.entity}:   # {table.grain}"]
    lines += [f"  {name}: {_flow(value)}" for name, value in entry.items() if name != "columns"]
    if DATE_FIELD not in entry["files"]:
        lines[1] += f"   # put {DATE_FIELD} where the day stands: a file says by its name which day it speaks for"
    lines.append("  columns:")
    for column in table.columns:
        spec = entry["columns"].get(column.name, "")
        if spec is None:
            allowed = f", one of {', '.join(column.values)}" if column.values else ""
            lines.append(f"    # {column.name}: ???   # required: {column.description}{allowed}")
        elif spec:
            hint = f"   # one of {', '.join(column.values)}" if TO_SAY in str(spec) else ""
            lines.append(f"    {column.name}: {_flow(spec)}{hint}")
    return "\n".join(lines) + "\n"


def _columns(table: Table, profiles: Sequence[Profile], records: int) -> Entry:
    picks = {pick.column.name: pick for pick in suggest.proposals(table, profiles)}
    moment = next((pick for pick in picks.values() if pick.column.kind == "timestamp"), None)
    columns: Entry = {}
    for column in table.columns:
        if column.name in picks:
            columns[column.name] = _entry(column, picks[column.name].profile)
        elif column.name == table.event_date and moment is not None:
            columns[column.name] = _local_day(moment.profile)
        elif column.is_required:
            columns[column.name] = None
    key = picks.get(table.key[0])
    if len(table.key) == 1 and key is not None and len(key.profile.words) < min(records, key.profile.filled):
        columns[table.key[0]] = _whole_key(key, picks)
    return columns


def _whole_key(key: Proposal, picks: Mapping[str, Proposal]) -> Any:
    """A line's number is not its own in all files: with the number of what it belongs to it is."""
    of = next((pick for name, pick in picks.items() if name.endswith("_id") and pick is not key), None)
    return {"join": [of.profile.name, key.profile.name], "with": "-"} if of else key.profile.name


def _entry(column: Column, profile: Profile) -> Any:
    spec: Entry = {"column": profile.name}
    if column.values and len(profile.words) <= MOST_WORDS:
        translated = {word: _allowed(word, column.values) for word in profile.words if word not in column.values}
        spec |= {"values": translated} if translated else {}
    elif column.kind == "boolean":
        words = {word: suggest.BOOLEANS[word.lower()] for word in profile.words if word.lower() in suggest.BOOLEANS}
        spec |= {"values": words} if set(words) - {"true", "false", "1", "0"} else {}
    elif column.kind in ("date", "timestamp") and profile.formats:
        spec |= {"formats": list(profile.formats)}
    if column.kind == "timestamp":
        spec |= {"timezone": "UTC" if profile.has_offset else "local"}
    return spec if len(spec) > 1 else profile.name


def _local_day(profile: Profile) -> Entry:
    spec: Entry = {"local_date_of": profile.name}
    spec |= {"formats": list(profile.formats)} if profile.formats else {}
    return spec | ({"timezone": "UTC"} if profile.has_offset else {})


def _allowed(word: str, values: Sequence[str]) -> str:
    return word.lower() if word.lower() in values else TO_SAY


def _flow(value: Any) -> str:
    """The value as YAML on one line. JSON is YAML; names are quoted only where they must be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(name)}: {_flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(part) for part in value) + "]"
    return (
        value
        if re.fullmatch(r"[^\W\d]\w*", value) and value.lower() not in WORDS_OF_YAML
        else json.dumps(value, ensure_ascii=False)
    )


WORDS_OF_YAML = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
