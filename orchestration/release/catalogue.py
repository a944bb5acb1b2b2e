"""Where releases are and which one is current. Readers resolve the pointer once and stay with that release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.decision_history import decided_days
from orchestration.errors import PlainError
from orchestration.release.publications import (
    PUBLISHED,
    ROLLED_BACK,
    read_log,
    replace_file,
    retired,
    write_event,
)
from orchestration.settings import Settings, load_settings

POINTER = "CURRENT"
MANIFEST = "manifest.json"
SERVING = "serving.duckdb"
INPUTS = "audit_inputs.parquet"


class NoRelease(PlainError):
    """Nothing has been published yet."""


def current_release(settings: Settings) -> Path:
    """The folder of the current release. Raises NoRelease when there is none."""
    pointer = settings.releases / POINTER
    if not pointer.exists():
        raise NoRelease(f"no release in {settings.releases}; run `tiering run` first")
    return settings.releases / pointer.read_text(encoding="utf-8").strip()


def flip(settings: Settings, release_id: str, kind: str = PUBLISHED) -> None:
    """Point CURRENT at a release, atomically: a reader sees the old pointer or the new one. The log says so before."""
    file = settings.releases / release_id / MANIFEST
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    pointer = settings.releases / POINTER
    pointed = pointer.read_text(encoding="utf-8").strip() if pointer.exists() else None
    events = read_log(settings)
    if pointed != release_id or not events or events[-1].manifest_sha256 != sha256:
        write_event(settings, kind, read_release(file.parent), sha256)
    replace_file(pointer, f"{release_id}\n".encode())


def rollback(settings: Settings, release_id: str | None) -> Path:
    """Point CURRENT at another release, by default at the one that was published before the current one.

    Decisions stay: they were published. Raises NoRelease when there is no such release, or its data are gone.
    """
    current = current_release(settings).name
    events = read_log(settings)
    gone = retired(events)
    kept = [name for name in dict.fromkeys(event.release_id for event in events) if name not in gone]
    before = kept[: kept.index(current)] if current in kept else kept
    wanted = release_id or (before[-1] if before else f"before {current}")
    if wanted not in kept or wanted == current:
        known = ", ".join(name for name in kept if name != current) or "none"
        raise NoRelease(f"no release {wanted} to go back to, expected one of: {known}")
    flip(settings, wanted, ROLLED_BACK)
    return settings.releases / wanted


def connect(home: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the current release's tables and views: ``connect().sql("from customer_360").df()``.

    The pointer is resolved once: whatever is published meanwhile, all queries of the connection see one release.
    ``home`` is ``TIERING_HOME`` or its default where it is not given. Raises NoRelease when there is none yet.
    """
    return connect_to(current_release(load_settings() if home is None else Settings(home=Path(home))))


def connect_to(release: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the tables and views of one release folder. Raises NoRelease when it was retired."""
    if not (release / SERVING).exists():
        raise NoRelease(f"release {release.name} was retired: its data are gone; `tiering reproduce {release.name}`")
    return duckdb.connect(str(release / SERVING), read_only=True, config={"enable_external_access": "false"})


def read_release(release: Path) -> dict[str, Any]:
    """The manifest of a release folder."""
    manifest: dict[str, Any] = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def decided_knowledge(settings: Settings, days: Iterable[date]) -> dict[date, datetime]:
    """What was known when each of the days was decided, for those that are in the ledger of decisions."""
    return _as_decided(settings, days, "known_at")


def decided_models(settings: Settings, days: Iterable[date]) -> dict[date, str]:
    """The version of the model that scored each of the days, for those that are in the ledger of decisions."""
    return _as_decided(settings, days, "model_version")


def _as_decided(settings: Settings, days: Iterable[date], column: str) -> dict[date, Any]:
    """A column that all rows of a day's decision share."""
    files = [str(file) for day in days if (file := settings.decisions / f"{day}.parquet").exists()]
    if not files:
        return {}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        query = f"select as_of_date, max({column}) from read_parquet(?) group by as_of_date"
        return dict(connection.execute(query, [files]).fetchall())


def last_decided_knowledge(settings: Settings) -> datetime | None:
    """The known_at of the newest decided day: what comes later was not known to any decision. None before the first."""
    newest = decided_days(settings)[-1:]
    return decided_knowledge(settings, newest)[newest[0]] if newest else None
