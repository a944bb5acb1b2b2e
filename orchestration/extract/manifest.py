"""The load manifest: one line a batch, appended when its files are in place; without its line no batch exists."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path


class ManifestError(RuntimeError):
    """The manifest cannot be read."""


@dataclass(frozen=True)
class Batch:
    """One delivered file that was accepted. In physical records: accepted + duplicates + quarantined = records."""

    batch_id: str
    source_system: str
    family: str
    entity: str
    file: str
    sha256: str
    bytes: int
    modified_ns: int
    delivery_date: date
    version: int
    mode: str
    known_at: datetime
    records: int
    accepted: int
    duplicates: int
    quarantined: int
    raw_file: str
    raw_sha256: str
    contract_version: str
    landed_at: datetime


def read_manifest(path: Path) -> list[Batch]:
    """All committed batches in the order of their commit. A line torn by a crash never was one and is left out."""
    if not path.exists():
        return []
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
    return batches


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
    fields = asdict(batch)
    for name in ("delivery_date", "known_at", "landed_at"):
        fields[name] = fields[name].isoformat()
    return json.dumps(fields, ensure_ascii=False, sort_keys=True) + "\n"


def _parse(line: str) -> Batch:
    fields = json.loads(line)
    fields["delivery_date"] = date.fromisoformat(fields["delivery_date"])
    fields["known_at"] = datetime.fromisoformat(fields["known_at"])
    fields["landed_at"] = datetime.fromisoformat(fields["landed_at"])
    return Batch(**fields)
