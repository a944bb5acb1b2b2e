"""The vocabulary of quality rules about rows: what each row of a relation promises, said as frozen values.

A rule says its promise in words and in SQL which rows break it. Rules about a relation as a whole are in
``table_rules.py``; judging is ``validate.py``'s part; which rules a table has is the suites' part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal

from data_quality.verdicts import SEVERITIES


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """One promise about one relation. Raises ValueError on an unknown severity."""

    severity: str = "error"

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(
                f"rule {self.name}: severity is {self.severity!r}, expected one of {', '.join(SEVERITIES)}"
            )

    @property
    @abstractmethod
    def name(self) -> str:
        """The promise as an identifier, unique in its suite."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """The promise in words."""


class RowRule(Rule):
    """A promise about every row; the rows that break it can be pointed at."""

    @abstractmethod
    def offenders(self, relation: str) -> str:
        """SQL selecting from ``relation`` the rows that break the promise."""

    def violations(self, relation: str) -> str:
        """SQL with a row for each violation, none if the promise holds; it shows no value of the relation."""
        return f"select 1 from ({self.offenders(relation)})"


@dataclass(frozen=True)
class NotNull(RowRule):
    column: str

    @property
    def name(self) -> str:
        return f"{self.column}_is_not_null"

    @property
    def expected(self) -> str:
        return f"no row without {self.column}"

    def offenders(self, relation: str) -> str:
        return f"select * from {relation} where {quoted(self.column)} is null"


@dataclass(frozen=True)
class InSet(RowRule):
    """A given value is one of the list; an empty one is NotNull's business."""

    column: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.column}_is_in_the_list"

    @property
    def expected(self) -> str:
        return f"{self.column} one of {', '.join(self.values)}"

    def offenders(self, relation: str) -> str:
        values = ", ".join(literal(value) for value in self.values)
        return f"select * from {relation} where {quoted(self.column)} not in ({values})"


@dataclass(frozen=True)
class Between(RowRule):
    """A given number lies within inclusive bounds, one of which may be open."""

    column: str
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.minimum is None and self.maximum is None:
            raise ValueError(f"rule {self.name}: has no bound, expected a minimum, a maximum or both")

    @property
    def name(self) -> str:
        return f"{self.column}_is_within_bounds"

    @property
    def expected(self) -> str:
        return f"{self.column} {bounds_text(self.minimum, self.maximum)}"

    def offenders(self, relation: str) -> str:
        column = quoted(self.column)
        bounds = (("<", self.minimum), (">", self.maximum))
        outside = " or ".join(f"{column} {sign} {bound}" for sign, bound in bounds if bound is not None)
        return f"select * from {relation} where {outside}"


@dataclass(frozen=True)
class Unique(RowRule):
    """No two rows share the key; empty parts of a key count as equal."""

    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{'_'.join(self.columns)}_is_unique"

    @property
    def expected(self) -> str:
        return f"no two rows with the same {', '.join(self.columns)}"

    def offenders(self, relation: str) -> str:
        keys = ", ".join(quoted(column) for column in self.columns)
        return f"select * from {relation} qualify count(*) over (partition by {keys}) > 1"

    def violations(self, relation: str) -> str:
        # Grouping is several times cheaper than the window that points at the rows, and grouping by a number than by
        # text. Different keys may share the number, so the keys that do are compared in full.
        keys = ", ".join(quoted(column) for column in self.columns)
        repeated = f"select hash({keys}) from {relation} group by all having count(*) > 1"
        return f"select 1 from {relation} where hash({keys}) in ({repeated}) group by {keys} having count(*) > 1"


@dataclass(frozen=True)
class NoRowsWhere(RowRule):
    """No row satisfies the condition (DuckDB SQL over the relation's own columns)."""

    promise: str
    condition: str

    @property
    def name(self) -> str:
        return self.promise

    @property
    def expected(self) -> str:
        return f"no row where {self.condition}"

    def offenders(self, relation: str) -> str:
        return f"select * from {relation} where {self.condition}"


@dataclass(frozen=True)
class NewestNear(RowRule):
    """The newest date of each batch is so many days before its ``delivery_date``, a column of the relation."""

    column: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def name(self) -> str:
        return f"newest_{self.column}_is_near_the_delivery_date"

    @property
    def expected(self) -> str:
        return f"delivery date less newest {self.column} {bounds_text(self.minimum, self.maximum)} days"

    def offenders(self, relation: str) -> str:
        newest = f"max({quoted(self.column)}) over (partition by batch_id)"
        return f"select * from {relation} qualify {self._too_far(newest)}"

    def violations(self, relation: str) -> str:
        newest = f"max({quoted(self.column)})"
        return f"select 1 from {relation} group by batch_id, delivery_date having {self._too_far(newest)}"

    def _too_far(self, newest: str) -> str:
        bounds = (("<", self.minimum), (">", self.maximum))
        days = f"date_diff('day', {newest}, delivery_date)"
        return " or ".join(f"{days} {sign} {bound:f}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True)
class NegativeShare(RowRule):
    """The share of each batch's amounts that are below zero lies within inclusive bounds, one of which may be open."""

    column: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def name(self) -> str:
        return f"negative_{self.column}_share_is_as_usual"

    @property
    def expected(self) -> str:
        return f"share of {self.column} below zero {bounds_text(self.minimum, self.maximum)}"

    def offenders(self, relation: str) -> str:
        return f"select * from {relation} qualify {self._unusual('over (partition by batch_id)')}"

    def violations(self, relation: str) -> str:
        return f"select 1 from {relation} group by batch_id having {self._unusual('')}"

    def _unusual(self, over: str) -> str:
        negative = f"count(*) filter (where {quoted(self.column)} < 0) {over}"
        bounds = (("<", self.minimum), (">", self.maximum))
        return " or ".join(
            f"{negative} {sign} {bound:f} * count({quoted(self.column)}) {over}"
            for sign, bound in bounds
            if bound is not None
        )


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def bounds_text(minimum: float | Decimal | None, maximum: float | Decimal | None) -> str:
    if minimum is None or maximum is None:
        return f"at least {minimum:g}" if minimum is not None else f"at most {maximum:g}"
    return f"between {minimum:g} and {maximum:g}"
