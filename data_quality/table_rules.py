"""The vocabulary of quality rules about a relation as a whole: its size and its columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from data_quality.rules import Rule, bounds_text, literal

# DuckDB's `describe` says the long name; everything else in the contract differs by case only.
_LONG_TYPE_NAMES = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}

FIGURES_TOLD = 5


class TableRule(Rule):
    """A promise about the relation as a whole; no single row breaks it."""

    @abstractmethod
    def observe(self, rows: int, columns: Mapping[str, str]) -> str:
        """What was found, in few words: ``columns`` maps name to SQL type."""

    def concerned(self, batches: tuple[str, ...]) -> tuple[str, ...]:
        """Which of the relation's batches are at fault when the promise is broken."""
        return batches


@dataclass(frozen=True)
class RowCount(TableRule):
    """The number of rows lies within inclusive bounds, one of which may be open."""

    minimum: int | None = None
    maximum: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.minimum is None and self.maximum is None:
            raise ValueError(f"rule {self.name}: has no bound, expected a minimum, a maximum or both")

    @property
    def name(self) -> str:
        return "row_count_is_within_bounds"

    @property
    def expected(self) -> str:
        return f"rows {bounds_text(self.minimum, self.maximum)}"

    def observe(self, rows: int, columns: Mapping[str, str]) -> str:
        return f"{rows} rows"


@dataclass(frozen=True)
class HasColumns(TableRule):
    """The relation has at least these columns, with these SQL types: pairs of (name, type)."""

    columns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return "columns_are_as_promised"

    @property
    def expected(self) -> str:
        return f"{len(self.columns)} columns with their types"

    def observe(self, rows: int, columns: Mapping[str, str]) -> str:
        wrong = [f"{name} {columns.get(name, 'missing')}" for name, kind in self._promised if columns.get(name) != kind]
        right = f"{len(self.columns) - len(wrong)} of {len(self.columns)} columns"
        return f"{right}; {', '.join(wrong)}" if wrong else right

    def violations(self, relation: str) -> str:
        """SQL with a row for each column that is missing or of another type."""
        pairs = ", ".join(f"({literal(name)}, {literal(kind)})" for name, kind in self._promised)
        found = f"select (column_name, column_type) from (describe select * from {relation})"
        return f"select 1 from (values {pairs}) promised(name, kind) where (name, kind) not in ({found})"

    @property
    def _promised(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, _LONG_TYPE_NAMES.get(kind.upper(), kind.upper())) for name, kind in self.columns)


@dataclass(frozen=True)
class Figure:
    """A number to judge, and what it says in words. ``batch_id``: the batch it speaks of, if it speaks of one."""

    value: Decimal
    told: str
    batch_id: str | None = None


@dataclass(frozen=True)
class Within(TableRule):
    """Figures that were drawn from elsewhere lie within inclusive bounds, one of which may be open.

    ``nothing`` says why, where there is no figure to judge; then the promise is kept.
    """

    measure: str
    figures: tuple[Figure, ...]
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    nothing: str = "nothing to compare with"

    @property
    def name(self) -> str:
        return f"{self.measure}_{'as_usual' if self.severity == 'warning' else 'within_reason'}"

    @property
    def expected(self) -> str:
        return f"{self.measure} {bounds_text(self.minimum, self.maximum)}"

    def observe(self, rows: int, columns: Mapping[str, str]) -> str:
        outside = self._outside()
        told = "; ".join(f"{figure.told} ({figure.value:f})" for figure in outside[:FIGURES_TOLD])
        if len(outside) > FIGURES_TOLD:
            return f"{told} and {len(outside) - FIGURES_TOLD} more"
        if not outside and len(self.figures) == 1:
            return f"{self.figures[0].told} ({self.figures[0].value:f})"
        return told or (f"{len(self.figures)} of {len(self.figures)} within" if self.figures else self.nothing)

    def concerned(self, batches: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(figure.batch_id for figure in self._outside() if figure.batch_id))

    def violations(self, relation: str) -> str:
        """SQL with a row for each figure out of bounds. It only names the relation, for GX warns of a query that does
        not."""
        values = ", ".join(f"({figure.value:f})" for figure in self.figures) or "(null)"
        bounds = (("<", self.minimum), (">", self.maximum))
        outside = " or ".join(f"found {sign} {bound:f}" for sign, bound in bounds if bound is not None)
        return f"select 1 from (values {values}) figures(found) where {outside} /* {relation} */"

    def _outside(self) -> list[Figure]:
        """For the words alone: whether the promise is kept is not decided here."""
        low, high = self.minimum, self.maximum
        return [
            figure
            for figure in self.figures
            if (low is not None and figure.value < low) or (high is not None and figure.value > high)
        ]
