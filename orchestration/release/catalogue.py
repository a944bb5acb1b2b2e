"""Where releases are and which one is current. Readers resolve the pointer once and stay with that release."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import Settings

POINTER = "CURRENT"
MANIFEST = "manifest.json"
SERVING = "serving.duckdb"


class NoRelease(RuntimeError):
    """Nothing has been published yet."""


def current_release(settings: Settings) -> Path:
    """The folder of the current release. Raises NoRelease when there is none."""
    pointer = settings.releases / POINTER
    if not pointer.exists():
        raise NoRelease(f"no release in {settings.releases}; run `tiering run` first")
    return settings.releases / pointer.read_text(encoding="utf-8").strip()


def flip(settings: Settings, release_id: str) -> None:
    """Point CURRENT at a release, atomically: a reader sees the old pointer or the new one."""
    incoming = settings.releases / f".{POINTER}.incoming"
    with incoming.open("w", encoding="utf-8") as file:
        file.write(release_id + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(incoming, settings.releases / POINTER)


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
    newest = max((date.fromisoformat(file.stem) for file in settings.decisions.glob("*.parquet")), default=None)
    return decided_knowledge(settings, [newest])[newest] if newest else None


def published(settings: Settings) -> list[dict[str, Any]]:
    """The manifests of all releases, oldest publication first."""
    manifests = [json.loads(file.read_text(encoding="utf-8")) for file in settings.releases.glob(f"[0-9]*/{MANIFEST}")]
    return sorted(manifests, key=lambda manifest: (manifest["published_at"], manifest["release_id"]))
