"""Where an installation stands: what was delivered, what was decided, which day comes next. By manifest and file names,
never by the clock."""

from __future__ import annotations

from datetime import date
from typing import Any

from orchestration.extract.landing import pending_deliveries
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import load_registry
from orchestration.plan import PlanError, days_between, missing_extracts, newest_complete_day
from orchestration.release.catalogue import current_release, published
from orchestration.settings import Settings


def default_day(settings: Settings) -> date:
    """The newest day whose daily extracts are all there, landed or waiting. Raises PlanError when there is none."""
    registry = load_registry(settings.sources)
    waiting = pending_deliveries(settings, registry.feeds, date.max)
    arrived = {(item.feed.source_system, item.feed.table.entity, item.delivery_date) for item in waiting}
    day = newest_complete_day(registry, _delivered(settings) | arrived)
    if day is None:
        raise PlanError("plan: no day is complete; `tiering status` says which extracts are missing")
    return day


def is_decided(settings: Settings, day: date) -> bool:
    return (settings.decisions / f"{day}.parquet").exists()


def standing(settings: Settings) -> dict[str, Any]:
    """Releases, undecided days and what is missing, as plain values for a page or a program."""
    registry = load_registry(settings.sources)
    delivered = _delivered(settings)
    newest = max((day for _, _, day in delivered), default=registry.start_date)
    days = days_between(registry.start_date, newest)
    releases = published(settings)
    return {
        "home": str(settings.home),
        "current_release": current_release(settings).name if releases else None,
        "releases": [release["release_id"] for release in releases],
        "newest_delivery": str(newest),
        "undecided_days": [str(day) for day in days if not is_decided(settings, day)],
        "incomplete_days": {str(day): names for day in days if (names := missing_extracts(registry, delivered, day))},
    }


def _delivered(settings: Settings) -> set[tuple[str, str, date]]:
    return {(batch.source_system, batch.entity, batch.delivery_date) for batch in read_manifest(settings.manifest)}
