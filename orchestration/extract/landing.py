"""Landing: delivered files become candidates, and candidates that pass their checks become batches of the raw zone.

A file is known by the sha256 of its bytes: delivered twice or under another name, it lands once. A candidate is
parsed, mapped, typed and stripped of personal values in the scratch folder; nothing is visible until ``commit``
moves its files into place and writes its manifest line, in that order.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from orchestration.extract import readers
from orchestration.extract.candidate import PARQUET, Candidate, Delivery, build_candidate
from orchestration.extract.contract import load_contract
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.manifest import Batch, append_batches, read_manifest
from orchestration.extract.registry import Feed
from orchestration.extract.vault import load_pseudonymiser
from orchestration.settings import Settings


def pending_deliveries(settings: Settings, feeds: Iterable[Feed], until: date) -> list[Delivery]:
    """Files that speak for a day up to ``until`` and have not landed, oldest first.

    A file with the name, size and time of a landed one is taken for landed without reading it.
    """
    seen = {(batch.file, batch.bytes, batch.modified_ns) for batch in read_manifest(settings.manifest)}
    found = []
    for feed in feeds:
        folder = settings.landing / feed.source_system
        for entry in os.scandir(folder) if folder.is_dir() else ():
            delivery_date = feed.delivery_date(entry.name)
            if delivery_date is None or delivery_date > until:
                continue
            status = entry.stat()
            if (f"{feed.source_system}/{entry.name}", status.st_size, status.st_mtime_ns) not in seen:
                found.append(Delivery(feed, Path(entry.path), delivery_date))
    return sorted(found, key=lambda delivery: (delivery.delivery_date, delivery.feed.name, delivery.file.name))


def prepare(settings: Settings, deliveries: Sequence[Delivery]) -> list[Candidate]:
    """Parse, map and type each delivery into the scratch folder. A file whose bytes have landed before is left out.

    Small files spend their time in DuckDB's planner, on one core: so many are read side by side as there are threads.
    """
    landed = {_content_key(batch, batch.delivery_date) for batch in read_manifest(settings.manifest)}
    pseudonymiser = load_pseudonymiser(settings)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    session = threading.local()
    with connect_with_excel(settings.home / "extensions") as connection:
        connection.execute(f"set threads = {settings.threads}")
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")

        def open_session() -> None:
            session.connection = connection.cursor()
            session.connection.execute("set timezone = 'UTC'")
            pseudonymiser.register(session.connection)

        def build(delivery: Delivery, sha256: str) -> Candidate:
            return build_candidate(session.connection, delivery, sha256, settings.scratch)

        with ThreadPoolExecutor(settings.threads, initializer=open_session) as pool:
            digests = pool.map(lambda delivery: file_sha256(delivery.file), deliveries)
            new: dict[tuple[str, str, str, date], tuple[Delivery, str]] = {}
            for delivery, sha256 in zip(deliveries, digests, strict=True):
                same_bytes = (delivery.feed.source_system, delivery.feed.table.entity, sha256)
                if landed.isdisjoint({(*same_bytes, None), (*same_bytes, delivery.delivery_date)}):
                    new.setdefault((*same_bytes, delivery.delivery_date), (delivery, sha256))
            built = list(pool.map(build, *zip(*new.values(), strict=True))) if new else []
    candidates = []
    for candidate in built:
        key = _content_key(candidate, candidate.delivery.delivery_date)
        if key in landed:
            discard([candidate])
        else:
            landed.add(key)
            candidates.append(candidate)
    return candidates


def commit(settings: Settings, candidates: Iterable[Candidate]) -> list[Batch]:
    """Move the files of passed candidates into the raw zone, then write their manifest lines: that is the commit."""
    versions: dict[tuple[str, str, date], int] = {}
    for batch in read_manifest(settings.manifest):
        key = (batch.source_system, batch.entity, batch.delivery_date)
        versions[key] = max(versions.get(key, 0), batch.version)
    batches = []
    for candidate in candidates:
        feed, day = candidate.delivery.feed, candidate.delivery.delivery_date
        key = (feed.source_system, feed.table.entity, day)
        versions[key] = versions.get(key, 0) + 1
        batches.append(_place(settings, candidate, versions[key]))
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


def _content_key(delivered: Batch | Candidate, day: date) -> tuple[str, str, str, date | None]:
    """What makes two deliveries the same. Files without records are alike on every quiet day, so their day counts."""
    return delivered.source_system, delivered.entity, delivered.sha256, None if delivered.records else day


def raw_path(settings: Settings, feed: Feed, delivery_date: date, batch_id: str) -> Path:
    folder = settings.raw / feed.table.family / feed.table.entity / f"delivery_date={delivery_date}"
    return folder / f"{batch_id}.parquet"


def write_empty_schemas(settings: Settings) -> None:
    """One zero-row file per contract table, so that a family that is not delivered reads as empty."""
    with duckdb.connect() as connection:
        for table in load_contract().tables:
            file = settings.raw / table.family / table.entity / "_schema.parquet"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in table.raw_columns.items())
                connection.execute(f"copy (select {columns} where false) to {readers.quoted(file)} {PARQUET}")


def _place(settings: Settings, candidate: Candidate, version: int) -> Batch:
    feed, day = candidate.delivery.feed, candidate.delivery.delivery_date
    if candidate.data_file is None:
        raise ValueError(f"landing: {feed.name} {candidate.delivery.file.name} is held: {candidate.held}")
    raw_file = raw_path(settings, feed, day, candidate.batch_id)
    place = f"{feed.table.family}/{feed.table.entity}/{candidate.batch_id}.parquet"
    if candidate.quarantine_file is not None:
        _move(candidate.quarantine_file, settings.quarantine / place)
    if candidate.vault_file is not None:
        _move(candidate.vault_file, settings.vault / place)
    raw_sha256 = file_sha256(candidate.data_file)
    _move(candidate.data_file, raw_file)
    status = candidate.delivery.file.stat()
    return Batch(
        batch_id=candidate.batch_id,
        source_system=feed.source_system,
        family=feed.table.family,
        entity=feed.table.entity,
        file=f"{feed.source_system}/{candidate.delivery.file.name}",
        sha256=candidate.sha256,
        bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        delivery_date=day,
        version=version,
        mode="incremental",
        known_at=feed.known_at(day).astimezone(UTC),
        records=candidate.records,
        accepted=candidate.accepted,
        duplicates=candidate.duplicates,
        quarantined=candidate.quarantined,
        raw_file=str(raw_file.relative_to(settings.raw)),
        raw_sha256=raw_sha256,
        contract_version=load_contract().version,
        landed_at=datetime.now(UTC),
    )


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
