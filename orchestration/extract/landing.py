"""Landing: delivered files become candidates, and candidates that pass their checks become batches of the raw zone.

A file is a version of a delivery: of what one system says of one table for one day. Versions are ordered by the time
of their extraction; one with the bytes of an earlier one has no rows of its own. A candidate is
parsed, mapped, typed and stripped of personal values in the scratch folder; nothing is visible until ``commit``
moves its files into place and writes its manifest line, in that order.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.extract import readers
from orchestration.extract.candidate import PARQUET, Candidate, Delivery, build_candidate
from orchestration.extract.contract import Table, load_contract
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.manifest import Amounts, Batch, append_batches, read_manifest
from orchestration.extract.registry import Feed, Registry
from orchestration.extract.totals import SUFFIX
from orchestration.extract.vault import load_pseudonymiser
from orchestration.settings import Settings

INSTANT = timedelta(microseconds=1)


def judged_tables(settings: Settings, registry: Registry | None) -> tuple[Table, ...]:
    """The tables that a run lands, judges and answers for: a system delivers them, or something of them has landed.

    Any other table of the contract costs a run nothing and reads as empty."""
    delivered = {feed.table.name for feed in registry.feeds} if registry else set()
    return tuple(table for table in load_contract().tables if table.name in delivered or _has_landed(settings, table))


def _has_landed(settings: Settings, table: Table) -> bool:
    """Whether there is a day's folder beside the table's schema."""
    return next((settings.raw / table.family / table.entity).glob("delivery_date=*"), None) is not None


def pending_deliveries(settings: Settings, feeds: Iterable[Feed], until: date) -> list[Delivery]:
    """Files that speak for a day up to ``until`` and have not landed, in the order they were extracted.

    A file with the name, size and time of a landed one is taken for landed without reading it.
    """
    seen = {(*_place_of(batch), batch.bytes, batch.modified_ns) for batch in read_manifest(settings.manifest)}
    found = []
    for feed in feeds:
        for entry in _entries(settings.landing / feed.folder):
            arrival = feed.arrival(entry.name)
            if arrival is None or arrival.delivery_date > until or _leads_out(entry, settings.landing):
                continue
            delivery, status = Delivery(feed, Path(entry.path), arrival), entry.stat()
            if (feed.name, delivery.name, status.st_size, status.st_mtime_ns) not in seen:
                found.append(delivery)
    return sorted(
        found, key=lambda item: (item.delivery_date, item.feed.name, item.arrival.extracted_at, item.file.name)
    )


def unexpected_files(settings: Settings, feeds: Sequence[Feed], known: Sequence[Feed]) -> list[str]:
    """Files in the landing folders of ``feeds`` that the file names of no ``known`` feed fit, and links out of them."""
    return [
        f"{folder}/{entry.name}"
        for folder in sorted({feed.folder for feed in feeds})
        for entry in sorted(_entries(settings.landing / folder), key=lambda entry: entry.name)
        if _leads_out(entry, settings.landing)
        or not any(feed.arrival(entry.name.removesuffix(SUFFIX)) for feed in known if feed.folder == folder)
    ]


def _place_of(batch: Batch) -> tuple[str, str]:
    """The feed and the file: several feeds may read one file, each its own records."""
    return f"{batch.source_system}.{batch.entity}", batch.file


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        return []
    return [entry for entry in os.scandir(folder) if entry.is_file() or entry.is_symlink()]


def _leads_out(entry: os.DirEntry[str], landing: Path) -> bool:
    """Whether it is a link to nothing, to a folder or to a file elsewhere: a sender must not choose what is read."""
    return entry.is_symlink() and not (entry.is_file() and Path(entry.path).resolve().is_relative_to(landing.resolve()))


def prepare(settings: Settings, deliveries: Sequence[Delivery]) -> list[Candidate]:
    """Parse, map and type each delivery into the scratch folder. Of equal files of one delivery the first is parsed.

    Small files spend their time in DuckDB's planner, on one core: so many are read side by side as there are threads.
    """
    if not deliveries:
        return []
    pseudonymiser = load_pseudonymiser(settings)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    session = threading.local()
    spill = str(settings.scratch / "landing_spill")  # else DuckDB takes a folder where the process was started
    with connect_with_excel(settings.home / "extensions", temp_directory=spill) as connection:
        connection.execute(f"set threads = {settings.threads}")
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")

        def open_session() -> None:
            session.connection = connection.cursor()
            session.connection.execute("set timezone = 'UTC'")
            pseudonymiser.register(session.connection)

        def build(delivery: Delivery, sha256: str) -> Candidate:
            return build_candidate(session.connection, delivery, sha256, settings)

        with ThreadPoolExecutor(settings.threads, initializer=open_session) as pool:
            landed = read_manifest(settings.manifest)
            rows_of = {(*batch.delivery, batch.sha256): batch for batch in landed if batch.duplicate_of is None}
            last_bytes = {_place_of(batch): batch.sha256 for batch in landed}
            digests = pool.map(lambda delivery: file_sha256(delivery.file), deliveries)
            arrived = [
                (delivery, sha256)
                for delivery, sha256 in zip(deliveries, digests, strict=True)
                # Else it was written anew and says nothing new.
                if last_bytes.get((delivery.feed.name, delivery.name)) != sha256
            ]
            first: dict[tuple[str, str, date, str], Delivery] = {}
            for delivery, sha256 in arrived:
                if (*delivery.key, sha256) not in rows_of:
                    first.setdefault((*delivery.key, sha256), delivery)
            built = dict(zip(first, pool.map(build, first.values(), (key[-1] for key in first)), strict=True))
    keys = [(delivery, (*delivery.key, sha256)) for delivery, sha256 in arrived]
    return [
        built[key] if first.get(key) is delivery else _repeat(delivery, key[-1], rows_of.get(key) or built[key])
        for delivery, key in keys
    ]


def _repeat(delivery: Delivery, sha256: str, original: Batch | Candidate) -> Candidate:
    """A file whose bytes its delivery has seen before: all its records are duplicates."""
    told = f"{delivery.feed.name}|{delivery.delivery_date}|{sha256}|{delivery.file.name}"
    held = original.held if isinstance(original, Candidate) else None
    return Candidate(
        delivery,
        hashlib.sha256(told.encode()).hexdigest()[:16],
        sha256,
        records=original.records,
        duplicates=original.records,
        amounts=tuple(
            Amounts(part.currency, part.delivered, Decimal(), part.delivered, Decimal(), Decimal())
            for part in original.amounts
        ),
        duplicate_of=original.batch_id,
        held=held,
    )


def commit(settings: Settings, candidates: Iterable[Candidate], decided_until: datetime | None) -> list[Batch]:
    """Move the files of passed candidates into the raw zone, then write their manifest lines: that is the commit.

    A batch is known from the time of its extraction; one that comes after a decision was made with later knowledge,
    ``decided_until``, was not known to it, and is known from the instant after.
    """
    batches = [_place(settings, candidate, decided_until) for candidate in candidates]
    append_batches(settings.manifest, batches)
    return batches


def discard(candidates: Iterable[Candidate]) -> None:
    """Remove what held candidates left in the scratch folder; the delivered file stays where it is."""
    for candidate in candidates:
        for file in (candidate.data_file, candidate.quarantine_file, candidate.vault_file):
            if file is not None:
                file.unlink(missing_ok=True)


def file_sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def raw_path(settings: Settings, feed: Feed, delivery_date: date, batch_id: str) -> Path:
    folder = settings.raw / feed.table.family / feed.table.entity / f"delivery_date={delivery_date}"
    return folder / f"{batch_id}.parquet"


def write_empty_schemas(settings: Settings) -> None:
    """One zero-row file per contract table, so that a family that is not delivered reads as empty."""
    files = {table: settings.raw / table.family / table.entity / "_schema.parquet" for table in load_contract().tables}
    if missing := {table: file for table, file in files.items() if not file.exists()}:
        with duckdb.connect() as connection:
            for table, file in missing.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in table.raw_columns.items())
                connection.execute(f"copy (select {columns} where false) to {readers.quoted(file)} {PARQUET}")


def _place(settings: Settings, candidate: Candidate, decided_until: datetime | None) -> Batch:
    delivery = candidate.delivery
    feed, day, extracted_at = delivery.feed, delivery.delivery_date, delivery.arrival.extracted_at
    if candidate.held is not None:
        raise ValueError(f"landing: {feed.name} {delivery.file.name} is held: {candidate.held}")
    place = f"{feed.table.family}/{feed.table.entity}/{candidate.batch_id}.parquet"
    quarantine_sha256 = None
    if candidate.quarantine_file is not None:
        quarantine_sha256 = file_sha256(candidate.quarantine_file)
        _move(candidate.quarantine_file, settings.quarantine / place)
    if candidate.vault_file is not None:
        _move(candidate.vault_file, settings.vault / place)
    raw_file = raw_sha256 = None
    if candidate.data_file is not None:
        raw_file, raw_sha256 = raw_path(settings, feed, day, candidate.batch_id), file_sha256(candidate.data_file)
        _move(candidate.data_file, raw_file)
    status = delivery.file.stat()
    is_late = decided_until is not None and extracted_at <= decided_until
    return Batch(
        batch_id=candidate.batch_id,
        source_system=feed.source_system,
        family=feed.table.family,
        entity=feed.table.entity,
        file=delivery.name,
        sha256=candidate.sha256,
        bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        delivery_date=day,
        extracted_at=extracted_at,
        mode=feed.mode,
        known_at=decided_until + INSTANT if is_late and decided_until else extracted_at,
        duplicate_of=candidate.duplicate_of,
        records=candidate.records,
        accepted=candidate.accepted,
        duplicates=candidate.duplicates,
        quarantined=candidate.quarantined,
        filtered=candidate.filtered,
        amounts=candidate.amounts,
        unknown_columns=candidate.unknown_columns,
        raw_file=str(raw_file.relative_to(settings.raw)) if raw_file else None,
        raw_sha256=raw_sha256,
        quarantine_sha256=quarantine_sha256,
        contract_version=load_contract().version,
        landed_at=datetime.now(UTC),
    )


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
