"""How long releases stay: the data of those that were replaced long ago go, what they say of themselves stays.

A day that was published can be reproduced without them: decisions, raw and models stay for good.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestration.release.catalogue import INPUTS, MANIFEST, POINTER, read_release
from orchestration.release.publications import RETIRED, Event, read_log, retired, write_event
from orchestration.settings import Settings

# What stays of a release: what it was made from and by, for the chain of evidence.
LASTING = (MANIFEST, INPUTS)


def retire(settings: Settings, now: datetime) -> list[str]:
    """Retire releases that another took the place of more than ``settings.keep_days`` days before ``now``; their ids.

    The current release stays, and the last one of each month. Who reads a release has those days to be done with it.
    """
    events = read_log(settings)
    current = (settings.releases / POINTER).read_text(encoding="utf-8").strip()
    kept = {current, *_last_of_months(events)}
    grace = timedelta(days=settings.keep_days)
    leaving = [name for name, at in _replaced(events).items() if name not in kept and now - at > grace]
    hashes = {event.release_id: event.manifest_sha256 for event in events}
    for name in leaving:
        write_event(settings, RETIRED, read_release(settings.releases / name), hashes[name])
    for name in retired(read_log(settings)):  # those of a run that was stopped here, too
        _empty(settings, name)
    return leaving


def _empty(settings: Settings, name: str) -> None:
    folder = settings.releases / name
    if files := [file for file in folder.iterdir() if file.name not in LASTING]:
        folder.chmod(0o755)
        for file in files:
            file.unlink()
        folder.chmod(0o555)


def _replaced(events: list[Event]) -> dict[str, datetime]:
    """When CURRENT last left each release that still has its data."""
    left: dict[str, datetime] = {}
    pointed: str | None = None
    for event in events:
        if event.kind == RETIRED:
            left.pop(event.release_id, None)
            continue
        if pointed is not None and pointed != event.release_id:
            left[pointed] = event.at
        left.pop(event.release_id, None)
        pointed = event.release_id
    return left


def _last_of_months(events: list[Event]) -> set[str]:
    """The last release of each month's last published day."""
    by_day = sorted(events, key=lambda event: (event.release.as_of_date, event.release.published_at))
    return set({f"{event.release.as_of_date:%Y-%m}": event.release_id for event in by_day}.values())
