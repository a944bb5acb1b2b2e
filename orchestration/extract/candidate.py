"""One delivered file becomes a candidate: parsed, mapped, typed, stripped of personal values, its rejects set aside.

Every physical record ends in exactly one place: accepted, duplicate of an equal record, quarantined, or filtered: left
out because the map says that it is no record of the table.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.extract import readers, totals
from orchestration.extract.manifest import Amounts
from orchestration.extract.mapping import broken_rows, control_columns, projection, unknown_columns
from orchestration.extract.physical import HeldFile
from orchestration.extract.proof import prove
from orchestration.extract.registry import Arrival, Feed
from orchestration.settings import Settings

PARQUET = "(format parquet, compression zstd, compression_level 1)"  # level 3 costs a fifth more and saves nothing

# Below this size a statement costs more to optimise than to run: 27 ms against 10 ms for a day's file of accounts,
# while the optimiser saves 40 % of two million lines. Pushing the filter below the casts would run them all twice.
OPTIMISED_BYTES = 1 << 20


@dataclass(frozen=True)
class Delivery:
    """A file in the landing folder that the manifest does not know yet."""

    feed: Feed
    file: Path
    arrival: Arrival

    @property
    def delivery_date(self) -> date:
        return self.arrival.delivery_date

    @property
    def name(self) -> str:
        """The file as the manifest names it."""
        return f"{self.feed.folder}/{self.file.name}"

    @property
    def key(self) -> tuple[str, str, date]:
        """What the file is a version of: system, entity and the day it speaks for."""
        return self.feed.source_system, self.feed.table.entity, self.arrival.delivery_date


@dataclass(frozen=True)
class Candidate:
    """A parsed file waiting for its verdict. ``held`` says why it cannot be judged; then there is no data file.

    ``duplicate_of`` names the batch whose bytes it repeats; then it has no files of its own.
    """

    delivery: Delivery
    batch_id: str
    sha256: str
    records: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    filtered: int = 0
    amounts: tuple[Amounts, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    data_file: Path | None = None
    quarantine_file: Path | None = None
    vault_file: Path | None = None
    duplicate_of: str | None = None
    held: str | None = None

    @property
    def entity(self) -> str:
        return self.delivery.feed.table.entity


def build_candidate(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, sha256: str, settings: Settings
) -> Candidate:
    """Parse, map and type one file into the scratch folder. ``connection`` needs ``pseudonymise`` and a UTC session.

    The file is held when it cannot be read, lacks a column, rejects too much, or when what was accepted, repeated and
    set aside is not what another reader counts in it.
    """
    batch_id = hashlib.sha256(f"{delivery.feed.name}|{delivery.delivery_date}|{sha256}".encode()).hexdigest()[:16]
    switch = "enable" if delivery.file.stat().st_size >= OPTIMISED_BYTES else "disable"
    connection.execute(f"pragma {switch}_optimizer; set disabled_optimizers = 'filter_pushdown'")
    parse = _Parse(connection, delivery, batch_id, settings)
    try:
        return parse.candidate(sha256)
    except HeldFile as error:
        told = str(error)
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        told = readers.told(error)
    finally:
        shutil.rmtree(parse.copies, ignore_errors=True)
        connection.execute("drop table if exists texts")
    for file in (parse.data, parse.rejects, parse.vault):
        file.unlink(missing_ok=True)
    return Candidate(delivery, batch_id, sha256, held=f"{delivery.file.name}: {told[:400]}")  # a page has an end


class _Parse:
    """The parsing of one file: what it writes beside each other in the scratch folder, and what it counts."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, delivery: Delivery, batch_id: str, settings: Settings
    ) -> None:
        scratch = settings.scratch
        self.connection, self.delivery, self.batch_id, self.settings = connection, delivery, batch_id, settings
        self.data = scratch / f"{batch_id}.data.parquet"
        self.rejects = scratch / f"{batch_id}.rejected.parquet"
        self.vault = scratch / f"{batch_id}.vault.parquet"
        self.copies = scratch / f"{batch_id}.copies"

    def candidate(self, sha256: str) -> Candidate:
        feed = self.delivery.feed
        rows = readers.source_rows(self.connection, self.delivery.file, feed, self.copies, self.settings)
        extracted_at = self.delivery.arrival.extracted_at.isoformat()
        sql = projection(feed, rows, self.batch_id, extracted_at, kept=_read(self.data))
        self._agree_with_sender(sql.told, rows.physical.broken)
        if not rows.physical.records:
            return Candidate(self.delivery, self.batch_id, sha256, unknown_columns=unknown_columns(feed, rows.columns))
        read = self._copy(sql.accepted, self.data)
        filtered, left_out = self._left_out(sql.filtered)
        rejected = [sql.rejected] if read + filtered < rows.physical.records - rows.physical.broken else []
        if rows.broken:
            rejected.append(broken_rows(feed.table, rows.broken))
        repeats: dict[str | None, Decimal] = {}
        duplicates = 0
        if self._count(f"select count(*) - count(distinct source_record_id) from {_read(self.data)}"):
            duplicates, repeats = self._set_repeats_aside(rejected)
        quarantined = 0
        if rejected:
            quarantined = self._copy(" union all by name ".join(f"({part})" for part in rejected), self.rejects)
            if not quarantined:
                self.rejects.unlink()
        accepted = self._count(f"select count(*) from {_read(self.data)}") if duplicates or rejected else read
        has_personal = sql.personal is not None and accepted > 0 and self._copy(sql.personal, self.vault) > 0
        if not has_personal:
            self.vault.unlink(missing_ok=True)
        amounts = self._amounts(rows.physical.amounts, repeats, left_out, bool(quarantined))
        places = accepted, duplicates, quarantined, filtered
        prove(feed.tolerance, rows.physical.records, places, amounts)
        return Candidate(
            self.delivery,
            self.batch_id,
            sha256,
            records=rows.physical.records,
            accepted=accepted,
            duplicates=duplicates,
            quarantined=quarantined,
            filtered=filtered,
            amounts=amounts,
            unknown_columns=unknown_columns(feed, rows.columns),
            data_file=self.data,
            quarantine_file=self.rejects if quarantined else None,
            vault_file=self.vault if has_personal else None,
        )

    def _set_repeats_aside(self, rejected: list[str]) -> tuple[int, dict[str | None, Decimal]]:
        """Keep one row of each key. Equal repeats are duplicates; of different ones the smallest content stays, so
        that the order of rows in a file decides nothing, and the others are rejected.

        Gives back how many duplicates there are and their amounts.
        """
        table = self.delivery.feed.table
        columns = [row[0] for row in self.connection.execute(f"describe select * from {_read(self.data)}").fetchall()]
        compared = ", ".join(name for name in columns if name not in ("source_line", "batch_id", "extracted_at"))
        self.connection.execute(
            f"""
            create or replace temp table ranked as
            select *, row_number() over (same_key order by content, source_line) as nth,
                first_value(content) over (same_key order by content, source_line) as kept_content
            from (select *, sha256(cast(row({compared}) as varchar)) as content from {_read(self.data)})
            window same_key as (partition by source_record_id)
            """
        )
        self._copy(f"select {', '.join(columns)} from ranked where nth = 1 order by source_line", self.data)
        rejected.append(
            f"""
            select source_line, 'key_conflict' as rule, 'source_record_id' as column_name,
                source_record_id as raw_text, {control_columns(table)}
            from ranked where nth > 1 and content <> kept_content"""
        )
        repeated = f"(select {control_columns(table)} from ranked where nth > 1 and content = kept_content)"
        return self._count(f"select count(*) from {repeated}"), self._sums(repeated)

    def _agree_with_sender(self, told: str, broken: int) -> None:
        """Raise HeldFile where the sender's totals are missing though they must be there, or are not what is read."""
        said = totals.totals_file(self.delivery.file)
        if not said.exists():
            if self.delivery.feed.has_totals:
                raise HeldFile(f"{said.name} is not there, expected beside the file: its feed says has_totals")
            return
        groups = self.connection.execute(told).fetchall()
        found = {group[:2]: totals.Total(*group[2:5]) for group in groups if not group[-1]}
        totals.compare(totals.read_totals(said), found, broken + sum(group[-1] for group in groups))

    def _left_out(self, filtered: str | None) -> tuple[int, dict[str | None, Decimal]]:
        """How many rows the map leaves out, and their amounts."""
        if filtered is None:
            return 0, {}
        return self._count(f"select count(*) from ({filtered})"), self._sums(f"({filtered})")

    def _amounts(
        self,
        delivered: Mapping[str | None, Decimal],
        repeats: Mapping[str | None, Decimal],
        left_out: Mapping[str | None, Decimal],
        has_rejects: bool,
    ) -> tuple[Amounts, ...]:
        """The control amount per currency, as another reader sums it in the file and by where its records went."""
        table = self.delivery.feed.table
        if table.control_amount is None:
            return ()
        accepted = self._sums(f"(select {control_columns(table)} from {_read(self.data)})")
        quarantined = self._sums(_read(self.rejects)) if has_rejects else {}
        zero = Decimal("0.0000")
        parts = (delivered, accepted, repeats, quarantined, left_out)
        found = {currency for part in parts for currency in part}
        return tuple(
            Amounts(currency, *(part.get(currency, zero) for part in parts))
            for currency in sorted(found, key=lambda code: code or "")
        )

    def _sums(self, relation: str) -> dict[str | None, Decimal]:
        query = f"select currency, sum(amount) from {relation} where amount is not null group by currency"
        return dict(self.connection.execute(query).fetchall())

    def _copy(self, sql: str, file: Path) -> int:
        return self._count(f"copy ({sql}) to {readers.quoted(file)} {PARQUET}")

    def _count(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        if row is None:
            raise RuntimeError(f"landing: no count from {sql}")
        return int(row[0])


def _read(file: Path) -> str:
    return f"read_parquet({readers.quoted(file)})"
