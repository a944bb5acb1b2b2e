"""The load manifest: one line a batch, appended when its files are in place; without its line no batch exists."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from orchestration.errors import PlainError


class ManifestError(PlainError):
    """The manifest cannot be read."""


@dataclass(frozen=True)
class Amounts:
    """The control amount of one file in one currency (null: the table names none), as delivered and by where it went.

    In every file: accepted + duplicates + quarantined + filtered = delivered, to the last ten-thousandth.
    """

    currency: str | None
    delivered: Decimal
    accepted: Decimal
    duplicates: Decimal
    quarantined: Decimal
    filtered: Decimal


@dataclass(frozen=True)
class Batch:
    """One delivered file that was accepted. Each of its physical records is in one of the four counts.

    Filtered are those that the map leaves out, being no records of this table.

    ``extracted_at`` orders the files of one delivery, ``known_at`` says from when on a run may know it. A file that
    repeats an earlier one of its delivery has no rows of its own: ``duplicate_of`` names the batch that has them.
    """

    batch_id: str
    source_system: str
    family: str
    entity: str
    file: str
    sha256: str
    bytes: int
    modified_ns: int
    delivery_date: date
    extracted_at: datetime
    mode: str
    known_at: datetime
    duplicate_of: str | None
    records: int
    accepted: int
    duplicates: int
    quarantined: int
    filtered: int
    amounts: tuple[Amounts, ...]
    unknown_columns: tuple[str, ...]
    raw_file: str | None
    raw_sha256: str | None
    quarantine_sha256: str | None
    contract_version: str
    landed_at: datetime

    @property
    def delivery(self) -> tuple[str, str, date]:
        """What the file is a version of: system, entity and the day it speaks for."""
        return self.source_system, self.entity, self.delivery_date


def read_manifest(path: Path) -> list[Batch]:
    """All committed batches in the order of their commit. A line torn by a crash never was one and is left out."""
    if not path.exists():
        return []
    status = path.stat()
    return list(_parsed(path, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=1)
def _parsed(path: Path, size: int, modified_ns: int) -> tuple[Batch, ...]:
    """The manifest in one state of its file. A run asks a dozen times, and the list grows with the years."""
    del size, modified_ns  # the key of the cache
    *lines, torn = path.read_text(encoding="utf-8").split("\n")
    del torn  # the text after the last newline: empty, or a commit that never finished
    batches = []
    for number, line in enumerate(lines, start=1):
        try:
            batches.append(_parse(line))
        except (ValueError, TypeError, KeyError) as error:
            raise ManifestError(
                f"manifest: line {number} of {path} is not a batch ({error}); restore it from a backup"
            ) from error
    return tuple(batches)


def append_batches(path: Path, batches: Iterable[Batch]) -> None:
    """Commit: append one line a batch and flush it to disk. Cuts off a line torn by an earlier crash first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write("".join(_format(batch) for batch in batches).encode())
        file.flush()
        os.fsync(file.fileno())


def _format(batch: Batch) -> str:
    return json.dumps(asdict(batch), ensure_ascii=False, sort_keys=True, default=str) + "\n"


def _parse(line: str) -> Batch:
    fields = json.loads(line)
    fields["delivery_date"] = date.fromisoformat(fields["delivery_date"])
    for name in ("extracted_at", "known_at", "landed_at"):
        fields[name] = datetime.fromisoformat(fields[name])
    fields["amounts"] = tuple(
        Amounts(amount.pop("currency"), **{name: Decimal(value) for name, value in amount.items()})
        for amount in fields["amounts"]
    )
    fields["unknown_columns"] = tuple(fields["unknown_columns"])
    return Batch(**fields)
