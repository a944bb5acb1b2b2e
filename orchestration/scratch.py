"""Runs that change nothing: a temporary home that shares the raw zone of the real one, lands nothing and is removed.

Two questions are asked this way: how would a day have been decided with other knowledge, and does a release come out
the same when it is computed again. What is read of the real home: the raw zone, ``sources.yml``, the policy, decisions
and models.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration import dbt
from orchestration.code_version import code_version
from orchestration.decision_history import decided_days
from orchestration.extract.manifest import read_manifest
from orchestration.plan import PlanError
from orchestration.policy import check_policy
from orchestration.release.catalogue import INPUTS, NoRelease, current_release, read_release
from orchestration.release.comparison import MartComparison, compare_marts
from orchestration.release.dictionary import marts_of
from orchestration.release.publications import releases
from orchestration.settings import Settings
from orchestration.status import check_days, is_decided, undecided_before
from orchestration.warehouse import open_warehouse

if TYPE_CHECKING:
    from orchestration.running import Outcome, StepEvent


@dataclass(frozen=True)
class Reproduction:
    """A release computed again. ``blocking`` lists what would refuse it now; the marts are compared all the same.

    ``lost_batches`` are those it was made from and that the raw zone no longer lists; ``new_batches`` those that have
    landed since and that it would have known.
    """

    release_id: str
    marts: tuple[MartComparison, ...]
    blocking: tuple[str, ...]
    lost_batches: tuple[str, ...]
    new_batches: tuple[str, ...]
    released_by: str
    recomputed_by: str

    @property
    def is_identical(self) -> bool:
        return all(mart.is_identical for mart in self.marts)

    @property
    def is_same_code(self) -> bool:
        """Whether the same commit made both; of a changed work tree that cannot be said."""
        return self.released_by == self.recomputed_by and not self.released_by.endswith("+changed")


@contextmanager
def scratch_home(settings: Settings, decided: Iterable[date]) -> Iterator[Settings]:
    """A home below ``scratch/`` with copies of the policy in use and of these days' decisions and an empty landing
    folder; gone on leaving. Raises PolicyError when that policy cannot be used."""
    check_policy(settings)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="home-", dir=settings.scratch) as folder:
        scratch = replace(settings, home=Path(folder), may_pull=False)
        for shared in (settings.raw, settings.quarantine):
            if shared.exists():
                (scratch.home / shared.name).symlink_to(shared, target_is_directory=True)
        shutil.copyfile(settings.sources, scratch.sources)
        if settings.waivers.exists():
            shutil.copyfile(settings.waivers, scratch.waivers)
        if settings.models.exists():
            shutil.copytree(settings.models, scratch.models)
        shutil.copytree(settings.policy, scratch.own_policy, ignore=shutil.ignore_patterns(".*"))
        scratch.decisions.mkdir()
        for day in decided:
            shutil.copyfile(settings.decisions / f"{day}.parquet", scratch.decisions / f"{day}.parquet")
        yield scratch


def decide_as_known(settings: Settings, day: date, known_at: datetime, on_step: StepEvent) -> tuple[Outcome, Settings]:
    """Decide the day as it was known at ``known_at``; how the run ended, and the home that keeps its answer.

    That home, ``scratch/known_at/<day>-<instant>``, holds the release and the verdicts, in place of an earlier answer
    to the same question. Raises PlanError when the raw zone cannot answer.
    """
    _check_knowledge(settings, day, known_at)
    from orchestration.running import run_days

    kept = settings.scratch / "known_at" / f"{day}-{known_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    with scratch_home(settings, _decided_up_to(settings, day - timedelta(days=1))) as scratch:
        outcome = run_days(scratch, day, day, on_step, known_at)
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for part in ("releases", "runs"):
            if (scratch.home / part).exists():
                os.replace(scratch.home / part, kept / part)
    return outcome, replace(settings, home=kept)


def find_release(settings: Settings, release_id: str | None) -> dict[str, Any]:
    """The manifest of a release, by default of the current one. Raises NoRelease naming those that there are."""
    wanted = release_id or current_release(settings).name
    known = [release.release_id for release in releases(settings)]
    if wanted not in known:
        raise NoRelease(f"no release {wanted} in {settings.releases}, expected one of: {', '.join(known)}")
    return read_release(settings.releases / wanted)


def reproduce(settings: Settings, released: dict[str, Any], on_step: StepEvent) -> Reproduction:
    """Compute a release again from the raw zone, with the knowledge its days were decided with, and compare.

    ``released`` is the release's manifest. Raises PlanError when a decision that tells that knowledge is missing.
    """
    days = [date.fromisoformat(day) for day in released["decided_dates"]]
    for day in days:
        if not is_decided(settings, day):
            raise PlanError(
                f"plan: {settings.decisions}/{day}.parquet is missing, which tells what was known when {day} was "
                "decided; restore it from a backup of decisions/"
            )
    from orchestration.running import run_days

    with scratch_home(settings, _decided_up_to(settings, days[-1])) as scratch:
        outcome = run_days(scratch, days[0], days[-1], on_step)
        if not scratch.warehouse.exists():
            raise PlanError(f"reproduce: {released['release_id']} cannot be computed: {outcome.errors[0]}")
        marts = marts_of(dbt.manifest_document(dbt.manifest_path(scratch)))
        with open_warehouse(scratch, read_only=True) as build:
            compared = compare_marts(build, marts, released)
    lost, new = _changed_batches(settings, released)
    return Reproduction(
        release_id=released["release_id"],
        marts=tuple(compared),
        blocking=outcome.blocking or outcome.errors,
        lost_batches=lost,
        new_batches=new,
        released_by=released["code_version"],
        recomputed_by=code_version(),
    )


def _check_knowledge(settings: Settings, day: date, known_at: datetime) -> None:
    """Raise PlanError when the day cannot be decided from the raw zone as it was known at ``known_at``."""
    check_days(settings, day, day)
    batches = read_manifest(settings.manifest)
    if not any(batch.delivery_date >= day for batch in batches):
        raise PlanError(f"plan: nothing has landed for {day} yet; `tiering run --date {day}` lands it")
    first = min(batch.known_at for batch in batches)
    if known_at < first:
        raise PlanError(
            f"plan: nothing was known at {known_at.isoformat()}, expected an instant from {first.isoformat()} on"
        )
    if undecided := undecided_before(settings, day):
        raise PlanError(f"plan: {undecided[0]} is not decided, expected every day before {day} to be; `tiering run`")


def _decided_up_to(settings: Settings, last: date) -> list[date]:
    return [day for day in decided_days(settings) if day <= last]


def _inputs_of(release: Path) -> set[str]:
    """The batches that a release knew."""
    with duckdb.connect() as connection:
        query = "select batch_id from read_parquet(?)"
        return {row[0] for row in connection.execute(query, [str(release / INPUTS)]).fetchall()}


def _changed_batches(settings: Settings, released: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Batches of the release that the raw zone no longer lists, and known ones that it did not have."""
    last, known_at = date.fromisoformat(released["as_of_date"]), datetime.fromisoformat(released["known_at"])
    batches = read_manifest(settings.manifest)
    before = _inputs_of(settings.releases / released["release_id"])
    known = {batch.batch_id for batch in batches if batch.delivery_date <= last and batch.known_at <= known_at}
    return tuple(sorted(before - {batch.batch_id for batch in batches})), tuple(sorted(known - before))
