"""Which days a run decides, with which knowledge and which policy. Pure: dates in, dates out, never the clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orchestration.errors import PlainError
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import Registry


class PlanError(PlainError):
    """The day cannot be decided with what is known."""


@dataclass(frozen=True)
class PolicyVersion:
    policy_version: str
    effective_from: date
    effective_to: date | None
    approved_at: datetime


@dataclass(frozen=True)
class PlannedDay:
    """One as-of date with the knowledge time and policy it is decided under."""

    as_of_date: date
    known_at: datetime
    policy_version: str


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def plan_days(
    days: Sequence[date],
    batches: Sequence[Batch],
    policies: Sequence[PolicyVersion],
    end_of_day: Callable[[date], datetime],
    decided: Mapping[date, datetime] | None = None,
) -> list[PlannedDay]:
    """Give each day the knowledge it was decided with, else what was known when it was its turn to be decided.

    That is the greatest known_at, before the next day ended, of deliveries up to the day: a day of a range is decided
    as it would have been alone. Where nothing was known in time (a first load gives its days one known_at), the
    greatest known_at at all. ``end_of_day`` is the systems' own; ``decided`` holds the known_at of days in the ledger.
    Raises PlanError when nothing is known of a day yet, when not exactly one approved policy version is in force, or
    when another takes over within the range: what is converted and counted follows one policy.
    """
    planned: list[PlannedDay] = []
    for day in days:
        known = [batch.known_at for batch in batches if batch.delivery_date <= day]
        if not known:
            raise PlanError(f"plan: nothing was delivered for {day} or before; expected at least an initial load")
        next_end = end_of_day(day + timedelta(days=1))
        in_time = [known_at for known_at in known if known_at < next_end]
        known_at = (decided or {}).get(day) or max(in_time or known)
        planned.append(PlannedDay(day, known_at, policy_in_force(policies, day, known_at)))
        if planned[-1].policy_version != planned[0].policy_version:
            raise PlanError(
                f"plan: policy {planned[-1].policy_version} takes over on {day}; decide the days before it and the "
                "days from it on as two ranges"
            )
    return planned


def policy_in_force(policies: Iterable[PolicyVersion], day: date, known_at: datetime) -> str:
    """The version whose [effective_from, effective_to) holds the day and that was approved by known_at."""
    found = [
        policy.policy_version
        for policy in policies
        if policy.effective_from <= day
        and (policy.effective_to is None or day < policy.effective_to)
        and policy.approved_at <= known_at
    ]
    if len(found) != 1:
        raise PlanError(f"plan: {len(found)} policy versions {found} are in force on {day}, expected exactly one")
    return found[0]


def missing_extracts(registry: Registry, delivered: set[tuple[str, str, date]], day: date) -> list[str]:
    """Names of the daily feeds that have delivered nothing for the day. ``delivered`` holds (system, entity, date)."""
    return [
        feed.name
        for feed in registry.feeds
        if feed.delivered == "daily" and (feed.source_system, feed.table.entity, day) not in delivered
    ]


def next_to_decide(registry: Registry, decided: Collection[date]) -> date:
    """The first day from the start date on that is not decided: days are decided in order."""
    day = registry.start_date
    while day in decided:
        day += timedelta(days=1)
    return day


def newest_complete_day(registry: Registry, delivered: set[tuple[str, str, date]]) -> date | None:
    """The newest day from the start date on for which every daily feed has delivered; None when there is none."""
    days = sorted({day for _, _, day in delivered if day >= registry.start_date}, reverse=True)
    return next((day for day in days if not missing_extracts(registry, delivered, day)), None)
