"""How far a figure may be from what is usual before it is bad: the rows of ``thresholds.csv``.

They are rows of their own and no part of the contract: the contract says what a table is, these what is normal for
it, and the marts have no contract there. Which figures there are is the suites' part.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

from data_quality.verdicts import SEVERITIES

THRESHOLDS_FILE = Path(__file__).with_name("thresholds.csv")
COLUMNS = ("scope", "subject", "measure", "severity", "minimum", "maximum", "provenance", "note")
SCOPES = ("history", "delivery", "release")
PROVENANCES = ("seed", "derived", "external", "house")
ALL = "*"


class ThresholdError(ValueError):
    """``thresholds.csv`` does not say what it must."""


@dataclass(frozen=True)
class Threshold:
    """Inclusive bounds of one figure. A row of scope ``history`` says how to compare and has no severity."""

    scope: str
    subject: str
    measure: str
    severity: str
    minimum: Decimal | None
    maximum: Decimal | None


@dataclass(frozen=True)
class Thresholds:
    """All rows. A subject's own rows of a measure stand in for those of ``*``."""

    rows: tuple[Threshold, ...]

    def of(self, scope: str, subject: str, measure: str) -> Sequence[Threshold]:
        """The rows that hold for a measure of a subject, errors first."""
        found = [row for row in self.rows if (row.scope, row.measure) == (scope, measure)]
        own = [row for row in found if row.subject == subject]
        return sorted(own or [row for row in found if row.subject == ALL], key=lambda row: row.severity)

    def measures(self, scope: str, subject: str) -> list[str]:
        """The measures that have a row for the subject or for all, each once, in the order of the file."""
        rows = (row for row in self.rows if row.scope == scope and row.subject in (subject, ALL))
        return list(dict.fromkeys(row.measure for row in rows))

    def history(self, measure: str) -> tuple[int, int]:
        """The least and the most of a row about how to compare."""
        (row,) = self.of("history", ALL, measure)
        return int(row.minimum or 0), int(row.maximum or 0)


@cache
def load_thresholds(path: Path = THRESHOLDS_FILE) -> Thresholds:
    """Raises ThresholdError naming the line at fault."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ThresholdError(f"thresholds: {path} has columns {reader.fieldnames}, expected {', '.join(COLUMNS)}")
        rows = tuple(_row(f"thresholds: line {reader.line_num} of {path}", fields) for fields in reader)
    named = [(row.scope, row.subject, row.measure, row.severity) for row in rows]
    if repeated := sorted({" ".join(name) for name in named if named.count(name) > 1}):
        raise ThresholdError(f"thresholds: {path} has {repeated} more than once, expected one row for each")
    return Thresholds(rows)


def _row(where: str, fields: dict[str, str]) -> Threshold:
    severities = ("",) if fields["scope"] == "history" else SEVERITIES
    known = (("scope", SCOPES), ("severity", severities), ("provenance", PROVENANCES))
    for column, words in known:
        if fields[column] not in words:
            raise ThresholdError(f"{where}: {column} is {fields[column]!r}, expected one of {', '.join(words)}")
    bounds = [_number(where, name, fields[name]) for name in ("minimum", "maximum")]
    if bounds == [None, None]:
        raise ThresholdError(f"{where}: has no bound, expected a minimum, a maximum or both")
    return Threshold(fields["scope"], fields["subject"], fields["measure"], fields["severity"], *bounds)


def _number(where: str, column: str, text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation as error:
        raise ThresholdError(f"{where}: {column} is {text!r}, expected a number or nothing") from error
