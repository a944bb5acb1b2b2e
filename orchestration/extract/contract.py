"""The canonical contract: which tables exist, their types, keys, null policy and PII classes.

The tables themselves are data (``contract.yml``). This module loads them into typed values, from which others generate
raw schemas, dbt's files (``dbt_yaml.py``) and quality suites. No reading of extracts here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CONTRACT_FILE = Path(__file__).with_name("contract.yml")

SQL_TYPES = {
    "text": "varchar",
    "integer": "bigint",
    "quantity": "decimal(18,4)",
    "money": "decimal(18,4)",
    "rate": "decimal(9,6)",
    "fx_rate": "decimal(18,8)",
    "currency": "varchar",
    "date": "date",
    "timestamp": "timestamptz",
    "boolean": "boolean",
}

# What every raw row carries besides its own columns. The key of a record is (source_system, source_record_id).
ENVELOPE = {
    "source_system": ("varchar", "Name of the delivering system, as in sources.yml"),
    "source_record_id": ("varchar", "The record's key in that system; key columns joined by |"),
    "source_line": ("bigint", "Record number in the delivered file, the header not counted"),
    "batch_id": ("varchar", "The batch that delivered the row"),
    "extracted_at": ("timestamptz", "When the sender knew it; the batch's known_at derives from it"),
    "is_deleted": ("boolean", "The sender says that the record is gone"),
}
# What the loader adds to every raw row.
KNOWLEDGE = {
    "known_from": ("timestamptz", "From when on this version of the record was the newest known"),
    "known_to": ("timestamptz", "Until when"),
    "nth_interval": ("bigint", "Counts the intervals of a version that became the newest again"),
}


class ContractError(ValueError):
    """The contract file does not say what it must."""


@dataclass(frozen=True)
class Column:
    """One column of a canonical table. ``personal_when`` narrows class P2 to the rows where it holds.

    ``consent_purpose`` is what a person must have agreed to before the value counts, as privacy.consent calls it.
    """

    name: str
    kind: str
    null_policy: str
    pii: str
    description: str
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    personal_when: str | None = None
    consent_purpose: str | None = None

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.kind]

    @property
    def is_required(self) -> bool:
        return self.null_policy == "R"

    @property
    def is_private(self) -> bool:
        """Whether a rejected value may be somebody's: outside its own column it is a token or nothing."""
        return self.pii in ("P2", "P3")


@dataclass(frozen=True)
class Table:
    """One canonical table, delivered by the systems of one family.

    ``control_amount`` is its proof of conservation; ``event_date`` says on which day the row happened.
    """

    family: str
    entity: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    control_amount: str | None = None
    event_date: str | None = None

    @property
    def name(self) -> str:
        return f"{self.family}.{self.entity}"

    @property
    def raw_name(self) -> str:
        return f"raw_{self.family}__{self.entity}"

    @property
    def control_currency(self) -> str | None:
        """The column that names the currency of the control amount; None where another table names it."""
        return next((column.name for column in self.columns if column.kind == "currency"), None)

    @property
    def raw_columns(self) -> dict[str, str]:
        """Column name → SQL type of a raw file: the envelope first, then the table's own columns."""
        envelope = {name: sql_type for name, (sql_type, _) in ENVELOPE.items()}
        return envelope | {column.name: column.sql_type for column in self.columns}

    @property
    def loaded_columns(self) -> str:
        """The columns of the table in the build file as SQL: those of its raw files, and what the loader adds."""
        columns = self.raw_columns | {name: sql_type for name, (sql_type, _) in KNOWLEDGE.items()}
        return ", ".join(f"{name} {sql_type}" for name, sql_type in columns.items())


@dataclass(frozen=True)
class Tolerance:
    """How many records of a file may break a rule: a file with more than both of ``share`` and ``records`` is held."""

    share: Decimal
    records: int

    @classmethod
    def of(cls, limits: dict[str, Any]) -> Tolerance:
        """Raises ContractError unless share is a number from 0 to 1 and records a whole number from 0."""
        share, records = limits.get("share"), limits.get("records")
        if not (isinstance(share, int | float) and 0 <= share <= 1 and isinstance(records, int) and records >= 0):
            raise ContractError(f"quarantine is {limits}, expected like {{share: 0.1, records: 20}}")
        return cls(Decimal(str(share)), records)

    def bears(self, quarantined: int, records: int) -> bool:
        return quarantined <= max(Decimal(self.records), self.share * records)


@dataclass(frozen=True)
class Contract:
    """``tolerance`` is that of every source that names none of its own."""

    version: str
    tables: tuple[Table, ...]
    tolerance: Tolerance

    def table(self, name: str) -> Table:
        """The table called ``family.entity``; raises ContractError with the known names otherwise."""
        for table in self.tables:
            if table.name == name:
                return table
        known = ", ".join(table.name for table in self.tables)
        raise ContractError(f"contract: unknown table {name!r}, expected one of: {known}")

    def family(self, family: str) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.family == family)


def read_yaml(path: Path) -> Any:
    """The file's document, by the parser in C: a fifth of the time. Raises yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)


@cache
def load_contract(path: Path = CONTRACT_FILE) -> Contract:
    """Read and check the contract file. Raises ContractError naming the table and column at fault."""
    document = read_yaml(path)
    tables = tuple(_table(name, body) for name, body in document["tables"].items())
    return Contract(str(document["version"]), tables, Tolerance.of(document["quarantine"]))


def _table(name: str, body: dict[str, Any]) -> Table:
    family, _, entity = name.partition(".")
    columns = tuple(_column(name, column, items) for column, items in body["columns"].items())
    known = {column.name for column in columns}
    missing = [column for column in body["key"] if column not in known]
    if missing:
        raise ContractError(f"contract: key of {name} names {missing}, expected columns of the table")
    amount = body.get("control_amount")
    if amount is not None and amount not in {column.name for column in columns if column.kind == "money"}:
        raise ContractError(f"contract: control_amount of {name} is {amount!r}, expected one of its money columns")
    event_date = body.get("event_date")
    if event_date is not None and event_date not in {column.name for column in columns if column.kind == "date"}:
        raise ContractError(f"contract: event_date of {name} is {event_date!r}, expected one of its date columns")
    return Table(family, entity, body["grain"], tuple(body["key"]), columns, amount, event_date)


def _column(table: str, name: str, items: list[Any]) -> Column:
    kind, null_policy, pii, description, *rest = items
    where = f"contract: {table}.{name}"
    if kind not in SQL_TYPES:
        raise ContractError(f"{where} has type {kind!r}, expected one of {sorted(SQL_TYPES)}")
    if null_policy not in ("R", "W", "O"):
        raise ContractError(f"{where} has null policy {null_policy!r}, expected R, W or O")
    if pii not in ("P0", "P1", "P2", "P3"):
        raise ContractError(f"{where} has PII class {pii!r}, expected P0, P1, P2 or P3")
    options: dict[str, Any] = rest[0] if rest else {}
    unknown = set(options) - {"values", "min", "max", "personal_when", "consent_purpose"}
    if unknown:
        raise ContractError(f"{where} has unknown options {sorted(unknown)}")
    return Column(
        name=name,
        kind=kind,
        null_policy=null_policy,
        pii=pii,
        description=description,
        values=tuple(options.get("values", ())),
        minimum=options.get("min"),
        maximum=options.get("max"),
        personal_when=options.get("personal_when"),
        consent_purpose=options.get("consent_purpose"),
    )
