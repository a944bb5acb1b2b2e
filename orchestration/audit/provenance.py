"""The delivered rows behind a customer or a record: every version with its file and line, as known at an instant.

What a row is worth and what follows from it is for ``recompute``; how the raw zone is read, for ``raw_zone``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from orchestration.audit.raw_zone import RawZone, account_table
from orchestration.extract.contract import load_contract
from orchestration.extract.landing import file_sha256
from orchestration.extract.manifest import Batch
from orchestration.settings import Settings
from orchestration.warehouse import AlteredRaw

RATES = "finance.fx_rate"
IN_FORCE = "in force"


@dataclass(frozen=True, eq=False)
class SourceRow:
    """One version of a record, at one line of one delivered file, without its personal columns.

    ``state`` at the instant: in force; deleted (the sender says so); superseded (a newer delivery holds the record);
    restated (its own delivery was sent again); absent (a newer full file lacks the record: deleted); never in force.
    """

    table: str
    source_system: str
    record_id: str
    state: str
    file: str
    source_line: int
    delivery_date: date
    batch_id: str
    known_from: datetime
    known_to: datetime | None
    is_deleted: bool
    values: dict[str, Any]


@dataclass(frozen=True)
class RejectedRow:
    """A quarantined row whose text names a record asked for; its other columns were never taken in."""

    table: str
    file: str
    source_line: int
    rule: str
    column_name: str | None
    raw_text: str


@dataclass(frozen=True)
class Source:
    """What the raw zone held. ``batches`` are those the rows stand in; ``altered`` their files that are not as landed.

    ``untold``: quarantined rows of the same tables that name no record, so that nobody can say whose they are.
    ``delivered``: every table that anybody had delivered.
    """

    rows: tuple[SourceRow, ...]
    rejected: tuple[RejectedRow, ...]
    untold: int
    batches: tuple[Batch, ...]
    altered: tuple[str, ...]
    delivered: frozenset[str] = frozenset()

    def in_force(self, table: str) -> list[SourceRow]:
        return [row for row in self.rows if row.table == table and row.state == IN_FORCE]


def rows_of_accounts(settings: Settings, known_at: datetime, accounts: Iterable[tuple[str, str, str]]) -> Source:
    """Everything delivered about accounts (family, source system, code), and the exchange rates of its currencies."""
    contract = load_contract()
    keys = [(account_table(family, contract).name, system, code) for family, system, code in accounts]
    return _opened(settings, known_at, keys, is_whole=True)


def rows_of_records(settings: Settings, known_at: datetime, records: Iterable[tuple[str, str, str]]) -> Source:
    """The records (table, source system, key), all that hangs on them, and what that names in turn.

    Raises AlteredRaw for a file of the raw zone that is gone or cannot be read.
    """
    return _opened(settings, known_at, records, is_whole=False)


def _opened(
    settings: Settings, known_at: datetime, records: Iterable[tuple[str, str, str]], *, is_whole: bool
) -> Source:
    """``is_whole``: with what other families say of the accounts, and the products and industries that are named."""
    try:
        with duckdb.connect() as connection:
            connection.execute(f"set threads = {settings.threads}")
            zone = RawZone(connection, settings, known_at)
            zone.want(records)
            if is_whole:
                zone.want_beside()
            return _read(settings, zone)
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise AlteredRaw(f"raw zone: {str(error).splitlines()[0]}; restore it from a backup") from error


def _read(settings: Settings, zone: RawZone) -> Source:
    rows = [SourceRow(**row) for table in zone.contract.tables for row in zone.rows(table)]
    currencies = sorted({str(row.values["currency"]) for row in rows if row.values.get("currency")})
    rejected = zone.rejected({row.table for row in rows})
    keys = {key for row in zone.fetch("select id from wanted") for key in row.values()}
    rates = zone.contract.table(RATES)
    zone.want_where(rates, "from_ccy in (select unnest(?))", [currencies])
    rows += [SourceRow(**row) for row in zone.rows(rates)]
    told = [RejectedRow(**row) for row in rejected if keys & _words(row["raw_text"])]
    held = {row.batch_id for row in rows}
    batches = tuple(batch for batch in zone.batches if batch.batch_id in held)
    delivered = frozenset(f"{batch.family}.{batch.entity}" for batch in zone.batches)
    altered = tuple(str(batch.raw_file) for batch in batches if not _is_as_landed(settings, batch))
    return Source(tuple(rows), tuple(told), len(rejected) - len(told), batches, altered, delivered)


def _words(text: str | None) -> set[str]:
    """A quarantined text and the words in it, any of which may be a key."""
    return {text, *re.split(r"[^\w|-]+", text)} if text else set()


def _is_as_landed(settings: Settings, batch: Batch) -> bool:
    return file_sha256(settings.raw / str(batch.raw_file)) == batch.raw_sha256
