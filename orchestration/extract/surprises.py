"""What is odd about the rows that a map makes of a file, with the map line that would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from orchestration.extract import suggest
from orchestration.extract.candidate import Candidate
from orchestration.extract.contract import Column
from orchestration.extract.readers import quoted
from orchestration.extract.registry import Feed

MOST = 0.9  # of the values: what holds for so many is meant, and no fault of single rows
FIRST_HOUR_OF_WORK = 6  # on the local clock; half a company's events before it are events of another zone


@dataclass(frozen=True)
class Rejection:
    """Records that broke one rule in one column; ``texts`` are some of what stood there, none where it is personal."""

    rule: str
    column: str | None
    count: int
    lines: tuple[int, ...]
    texts: tuple[str, ...]


def surprises(
    connection: duckdb.DuckDBPyConnection, feed: Feed, candidate: Candidate, rejections: Sequence[Rejection]
) -> Iterator[str]:
    """One sentence each."""
    columns = {column.name: column for column in feed.table.columns}
    for rejection in rejections:
        if rejection.column in columns and rejection.texts:
            yield from _of_rejected(feed, columns[rejection.column], rejection)
    unsure = [name for name, spec in feed.columns.items() if spec.unverified]
    if unsure:
        yield f"written from general knowledge, look before you trust: {', '.join(unsure)}"
    if candidate.data_file is not None and candidate.accepted:
        rows = quoted(candidate.data_file)
        for column in columns.values():
            yield from _of_accepted(connection, feed, column, rows, candidate.accepted)


def _of_rejected(feed: Feed, column: Column, rejection: Rejection) -> Iterator[str]:
    name, texts = column.name, rejection.texts
    if rejection.rule == "type" and column.kind in ("date", "timestamp"):
        formats = suggest.date_formats(texts)
        if formats:
            known = ", ".join(f'"{form}"' for form in (*feed.columns[name].formats, *formats))
            yield f"{name}: {rejection.count} dates are written another way: formats: [{known}]"
    elif rejection.rule == "type":
        other = "," if feed.dialect.decimal == "." else "."
        if suggest.nearly_all(texts, suggest.NUMBERS[other].fullmatch):
            yield f'{name}: {rejection.count} numbers have another decimal sign: decimal: "{other}"'
    elif rejection.rule == "value":
        words = ", ".join(f'"{text}": ???' for text in texts[:12])
        yield f"{name}: say what these words mean: values: {{{words}}}, each one of {', '.join(column.values)}"
    elif rejection.rule == "range" and 0 in (column.minimum, column.maximum):
        mend = "leave out sign: negate" if feed.columns[name].negate else "sign: negate"
        yield f"{name}: {rejection.count} have the other sign: {mend}?"


def _of_accepted(
    connection: duckdb.DuckDBPyConnection, feed: Feed, column: Column, rows: str, accepted: int
) -> Iterator[str]:
    name, spec = column.name, feed.columns.get(column.name)
    if spec is None or spec.constant is not None:
        return
    if column.kind == "money":
        filled, negative, whole, large = _counts(
            connection, rows, f"count({name})", f"count(*) filter (where {name} < 0)",
            f"count(*) filter (where {name} = trunc({name}))", f"count(*) filter (where abs({name}) >= 100)",
        )  # fmt: skip
        if filled and name == feed.table.control_amount and column.maximum is None and negative >= MOST * filled:
            yield f"{name}: {negative} of {filled} are negative, where what a customer pays or owes is positive: sign?"
        if filled and whole == filled and large >= MOST * filled and spec.minor_units is None:
            yield f"{name}: all {filled} are whole and nearly all 100 or more: cents? minor_units: {{column: currency}}"
    elif column.kind == "timestamp":
        zone = quoted(feed.timezone)
        early, timed, distinct = _counts(
            connection, rows, f"count(*) filter (where hour(timezone({zone}, {name})) < {FIRST_HOUR_OF_WORK})",
            f"count({name})", f"count(distinct cast(timezone({zone}, {name}) as time))",
        )  # fmt: skip
        if distinct > 1 and 2 * early > timed:
            yield f"{name}: {early} of {timed} are before {FIRST_HOUR_OF_WORK} o'clock in {feed.timezone}: timezone?"
    elif column.kind == "currency":
        (odd,) = _counts(connection, rows, f"count(*) filter (where not regexp_full_match({name}, '[A-Z]{{3}}'))")
        if odd:
            yield f"{name}: {odd} are no codes of ISO 4217: values: {{...}} translates them"
    if column.null_policy == "W":
        (filled,) = _counts(connection, rows, f"count({name})")
        if 2 * filled < accepted:
            yield f"{name}: empty in {accepted - filled} of {accepted} records; {column.description}"


def _counts(connection: duckdb.DuckDBPyConnection, rows: str, *sums: str) -> tuple[int, ...]:
    row = connection.execute(f"select {', '.join(sums)} from {rows}").fetchone()
    return tuple(row or ())
