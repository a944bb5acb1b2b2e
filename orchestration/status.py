"""Where an installation stands: what was delivered, what was decided, which day comes next. By manifest and file names,
never by the clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestration.decision_history import decided_days
from orchestration.extract.candidate import Delivery
from orchestration.extract.landing import pending_deliveries
from orchestration.extract.manifest import Batch, read_manifest
from orchestration.extract.registry import Registry, load_registry
from orchestration.plan import PlanError, days_between, missing_extracts, newest_complete_day, next_to_decide
from orchestration.release.catalogue import current_release
from orchestration.release.publications import releases
from orchestration.settings import Settings


@dataclass(frozen=True)
class NextDay:
    """The day that is decided next, and the daily feeds that have no file for it yet.

    ``state`` is the same as long as the extracts up to the day and what they are read and judged by are the same: only
    another one is worth another attempt.
    """

    day: date
    missing: tuple[str, ...]
    state: str


def next_day(settings: Settings) -> NextDay:
    """Which day comes next, by what has landed and what waits. Raises SourcesError when nothing says what is awaited,
    and PlanError when nothing was ever delivered."""
    registry = load_registry(settings.sources)
    landed, waiting = read_manifest(settings.manifest), pending_deliveries(settings, registry.feeds, date.max)
    if not landed and not waiting:
        raise PlanError(f"plan: nothing was ever delivered to {settings.landing}, expected an initial load")
    day = next_to_decide(registry, set(decided_days(settings)))
    # A file that has landed is known by the same three: landing it is no other state.
    files = {(batch.file, batch.bytes, batch.modified_ns) for batch in landed if batch.delivery_date <= day}
    for item in waiting:
        if item.delivery_date <= day:
            status = item.file.stat()
            files.add((item.name, status.st_size, status.st_mtime_ns))
    digest = hashlib.sha256(repr(sorted(files)).encode())
    for file in (settings.sources, settings.waivers, *sorted(settings.policy.glob("*.csv"))):
        digest.update(file.read_bytes() if file.exists() else b"")
    missing = missing_extracts(registry, _named(landed, waiting), day)
    return NextDay(day, tuple(missing), digest.hexdigest()[:16])


def default_day(settings: Settings) -> date:
    """The newest day whose daily extracts are all there, landed or waiting. Raises PlanError when there is none."""
    registry = load_registry(settings.sources)
    day = newest_complete_day(registry, _delivered(settings, registry))
    if day is None:
        raise PlanError("plan: no day is complete; `tiering status` says which extracts are missing")
    return day


def is_decided(settings: Settings, day: date) -> bool:
    return (settings.decisions / f"{day}.parquet").exists()


def undecided_before(settings: Settings, day: date) -> list[date]:
    """Days from the start date to the day before ``day`` that are not in the ledger: they are decided first."""
    start = load_registry(settings.sources).start_date
    return [earlier for earlier in days_between(start, day - timedelta(days=1)) if not is_decided(settings, earlier)]


def standing(settings: Settings) -> dict[str, Any]:
    """Releases, undecided days and what is missing, as plain values for a page or a program."""
    registry = load_registry(settings.sources)
    delivered = _delivered(settings, registry)
    newest = max((day for _, _, day in delivered), default=registry.start_date)
    days = days_between(registry.start_date, newest)
    published = releases(settings)
    return {
        "home": str(settings.home),
        "current_release": current_release(settings).name if published else None,
        "releases": [release.release_id for release in published],
        "newest_delivery": str(newest),
        "undecided_days": [str(day) for day in days if not is_decided(settings, day)],
        "incomplete_days": {str(day): names for day in days if (names := missing_extracts(registry, delivered, day))},
    }


def check_days(settings: Settings, first: date, last: date) -> None:
    """Raise PlanError for days before the start date, or for which no system has delivered anything yet."""
    registry = load_registry(settings.sources)
    newest = max((day for _, _, day in _delivered(settings, registry)), default=None)
    if first < registry.start_date:
        raise PlanError(f"plan: {first} is before start_date {registry.start_date} of {settings.sources}")
    if newest is None or last > newest:
        raise PlanError(f"plan: nothing was delivered for {last} yet, the newest delivery is of {newest}")


def _delivered(settings: Settings, registry: Registry) -> set[tuple[str, str, date]]:
    """(system, entity, day) of every file, landed or waiting in the landing folder."""
    return _named(read_manifest(settings.manifest), pending_deliveries(settings, registry.feeds, date.max))


def _named(landed: Iterable[Batch], waiting: Iterable[Delivery]) -> set[tuple[str, str, date]]:
    found = {(batch.source_system, batch.entity, batch.delivery_date) for batch in landed}
    return found | {(item.feed.source_system, item.feed.table.entity, item.delivery_date) for item in waiting}
