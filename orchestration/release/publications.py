"""The log of publications: what CURRENT pointed to, since when, and the sha256 of each release's manifest.

One JSON line an event, each with the hash of the line before it and its own, so that the lines are a chain. It is the
list of releases: a folder that no line names was left by a run that was stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.errors import PlainError
from orchestration.settings import Settings

LOG = "log.jsonl"
NO_LINE = "0" * 64  # what the first line has for the hash of the line before it
PUBLISHED, ROLLED_BACK, RETIRED = "published", "rolled back", "retired"


class LogError(PlainError):
    """The log is not as it was written."""


@dataclass(frozen=True)
class Release:
    """What every list of releases says of one."""

    release_id: str
    as_of_date: date
    known_at: datetime
    policy_version: str
    customer_count: int
    net_amount_365d: Decimal
    published_at: datetime

    @classmethod
    def of(cls, manifest: dict[str, Any]) -> Release:
        return cls(
            release_id=manifest["release_id"],
            as_of_date=date.fromisoformat(manifest["as_of_date"]),
            known_at=datetime.fromisoformat(manifest["known_at"]),
            policy_version=manifest["policy_version"],
            customer_count=manifest["customer_count"],
            net_amount_365d=Decimal(manifest["net_amount_365d"]),
            published_at=datetime.fromisoformat(manifest["published_at"]),
        )


@dataclass(frozen=True)
class Event:
    """A release was published (CURRENT points to it), rolled back to (again), or retired (its data are gone)."""

    number: int
    kind: str
    release_id: str
    manifest_sha256: str
    at: datetime
    release: Release
    line_sha256: str


def read_log(settings: Settings) -> list[Event]:
    """All events, oldest first. Raises LogError naming the line that is not as it was written."""
    file = settings.releases / LOG
    if not file.exists():
        return []
    events: list[Event] = []
    before = NO_LINE
    for number, line in enumerate(file.read_bytes().split(b"\n")[:-1], start=1):
        try:
            event = _parsed(line, number, before)
        except (ValueError, TypeError, KeyError) as error:
            raise LogError(
                f"log of publications: line {number} of {file} is not as it was written ({error}); restore the file "
                "from a backup"
            ) from error
        events.append(event)
        before = event.line_sha256
    return events


def write_event(settings: Settings, kind: str, manifest: dict[str, Any], manifest_sha256: str) -> None:
    """Add an event, now. The whole file is written beside and put in its place: no reader sees half a line."""
    events = read_log(settings)
    fields = {
        "number": len(events) + 1,
        "kind": kind,
        "manifest_sha256": manifest_sha256,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "release": asdict(Release.of(manifest)),
        "before": events[-1].line_sha256 if events else NO_LINE,
    }
    text = _text(fields)
    line = _text(json.loads(text) | {"sha256": hashlib.sha256(text.encode()).hexdigest()}) + "\n"
    file = settings.releases / LOG
    written = file.read_bytes() if file.exists() else b""
    replace_file(file, written + line.encode())


def releases(settings: Settings) -> list[Release]:
    """Every release that was published, by its last publication, oldest first."""
    published = {event.release_id: event.release for event in read_log(settings) if event.kind == PUBLISHED}
    return sorted(published.values(), key=lambda release: (release.published_at, release.release_id))


def retired(events: list[Event]) -> set[str]:
    """Releases whose data are gone: retired, and not published again since."""
    last = {event.release_id: event.kind for event in events}
    return {release_id for release_id, kind in last.items() if kind == RETIRED}


def replace_file(file: Path, content: bytes) -> None:
    """Put the content in the file's place at once, and on disk."""
    incoming = file.with_name(f".{file.name}.incoming")
    with incoming.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(incoming, file)


def _parsed(line: bytes, number: int, before: str) -> Event:
    fields = json.loads(line)
    if _text(fields).encode() != line:
        raise ValueError("its text is not in canonical form")
    own = fields.pop("sha256")
    if own != hashlib.sha256(_text(fields).encode()).hexdigest():
        raise ValueError("its sha256 is not the one of its text")
    if (fields["number"], fields["before"]) != (number, before):
        raise ValueError("it does not follow the line before it")
    release = Release.of(fields["release"])
    at = datetime.fromisoformat(fields["at"])
    return Event(number, fields["kind"], release.release_id, fields["manifest_sha256"], at, release, own)


def _text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str)
