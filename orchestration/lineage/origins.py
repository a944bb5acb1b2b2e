"""Where columns come from, as values: origins with their marks, and relations that have them.

Origins are columns of tables, each with marks. ``value``: it flows into the value. Any other mark is a condition, which
decides whether or which value it is: ``case`` (the test of a case), ``filter`` (where, having), ``join`` (a comparison
that joins), ``lookup`` (a column and one of a policy row that must be equal), ``match`` (two other columns that must be
equal), ``group`` (grouped, partitioned or made distinct by), ``order`` (of a window), ``count`` (its rows are counted),
``rows`` (which rows a table has). What cannot be followed is an origin that begins with ``?`` and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

VALUE = "value"
RULE = "rule"  # a column of a policy row; no word of its own outside, what it makes is the mark lookup
UNKNOWN = "?"

Origins = Mapping[str, frozenset[str]]
NOTHING: Origins = {}


@dataclass(frozen=True)
class Relation:
    """Columns with their origins and the expressions that make them, and the origins of the rows.

    ``unknown`` says why there may be columns that are not told.
    """

    columns: Mapping[str, Origins]
    rows: Origins = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: str = ""

    def column(self, name: str) -> Origins:
        if name in self.columns:
            return self.columns[name]
        return not_followed(self.unknown or f"no column {name} where it is read")


def table(name: str, columns: Iterable[str], *, is_policy: bool = False) -> Relation:
    """A table to read from: each column is its own origin, ``<name>.<column>``, and its rows are ``<name>.*``."""
    marks = frozenset({VALUE, RULE} if is_policy else {VALUE})
    return Relation({column: {f"{name}.{column}": marks} for column in columns}, {f"{name}.*": frozenset({"rows"})})


def merged(parts: Iterable[Origins]) -> Origins:
    """All origins, each with all its marks."""
    found: dict[str, frozenset[str]] = {}
    for part in parts:
        for column, marks in part.items():
            found[column] = found.get(column, frozenset()) | marks
    return found


def as_condition(origins: Origins, mark: str) -> Origins:
    """Origins of something that is used as a condition: what was a value decides now."""
    return {
        column: (marks - {VALUE, RULE}) | {mark} if VALUE in marks else frozenset(marks)
        for column, marks in origins.items()
    }


def equal(origins: Origins) -> Origins:
    """Origins of two columns that must be equal: one of a policy row makes it the lookup of a rule."""
    return as_condition(origins, "lookup" if any({RULE, VALUE} <= marks for marks in origins.values()) else "match")


def not_followed(reason: str) -> Origins:
    """What stands where the origins cannot be known."""
    return {UNKNOWN + reason: frozenset({VALUE})}
