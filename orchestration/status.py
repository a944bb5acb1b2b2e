"""Where an installation stands: what was delivered, what was decided, which day comes next. By manifest and file names,
never by the clock."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from orchestration.extract.landing import pending_deliveries
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import Registry, load_registry
from orchestration.plan import PlanError, days_between, missing_extracts, newest_complete_day
from orchestration.release.catalogue import current_release
from orchestration.release.publications import releases
from orchestration.settings import Settings


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
    landed = {(batch.source_system, batch.entity, batch.delivery_date) for batch in read_manifest(settings.manifest)}
    waiting = pending_deliveries(settings, registry.feeds, date.max)
    return landed | {(item.feed.source_system, item.feed.table.entity, item.delivery_date) for item in waiting}
