"""The vocabulary of quality rules about a relation as a whole: its size and its columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from data_quality.rules import Rule, bounds_text, literal

# DuckDB's `describe` says the long name; everything else in the contract differs by case only.
_LONG_TYPE_NAMES = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}


class TableRule(Rule):
    """A promise about the relation as a whole; no single row breaks it."""

    @abstractmethod
    def observe(self, rows: int, columns: Mapping[str, str]) -> str:
        """What was found, in few words: ``columns`` maps name to SQL type."""


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
