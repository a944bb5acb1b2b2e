"""A new version of the policy: the rows of another under a new name in every file, and the day it takes over.

Nothing of a released version is touched but the one cell that may change, where the next one takes over.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from orchestration.decision_history import decided_days
from orchestration.extract.registry import load_registry
from orchestration.locking import writing
from orchestration.plan import PolicyVersion
from orchestration.policy import VERSIONS, PolicyError, check_policy, read_rows
from orchestration.release.publications import replace_file
from orchestration.settings import POLICY_SEEDS, Settings

NAME = re.compile(r"[\w.-]+")

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Draft:
    """What a new version is to be: in force from ``since``, with the rows of ``copy_of``, or of the last one."""

    policy_version: str
    since: date
    approved_by: str
    approved_at: datetime
    note: str
    copy_of: str | None = None


def write_version(settings: Settings, draft: Draft) -> list[Path]:
    """Add the version to the home's own policy, which begins as a copy of the shipped one; the files written.

    Raises PolicyError, with nothing written, for a version that exists or could not be in force from that day on, and
    Locked while another process writes.
    """
    with writing(settings):
        versions = check_policy(settings)
        last = max(versions, key=lambda version: version.effective_from)
        copied = draft.copy_of or last.policy_version
        _check(settings, draft, versions, last, copied)
        if settings.policy == POLICY_SEEDS:
            take_policy(settings.policy, settings.own_policy)
        others = [file for file in sorted(settings.policy.glob("*.csv")) if file.name != VERSIONS]
        for file in others:
            write_rows(file, _with_copy(file, draft.policy_version, copied))
        # Last, for it is what states a version: rows that a stopped attempt left are taken out by the next.
        write_rows(settings.policy / VERSIONS, _stated(settings.policy / VERSIONS, draft, last, copied))
    return [*others, settings.policy / VERSIONS]


def take_policy(folder: Path, own: Path) -> None:
    """Copy a policy folder to a place where there is none yet, all of it or nothing."""
    incoming = own.with_name(f".{own.name}.incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    shutil.copytree(folder, incoming, ignore=shutil.ignore_patterns("_*", ".*"))
    incoming.rename(own)


def write_rows(file: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write a policy file anew, with the byte order mark, the header and the line ends that it has."""
    written = file.read_bytes()
    header = written.decode("utf-8-sig").splitlines()[0].split(",")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, lineterminator="\r\n" if b"\r\n" in written else "\n")
    writer.writeheader()
    writer.writerows(rows)
    marked = "utf-8-sig" if written.startswith(b"\xef\xbb\xbf") else "utf-8"
    replace_file(file, text.getvalue().encode(marked))


def weigh(weights: Rows, unfed: Collection[str], untouched: Collection[str]) -> Rows:
    """The weights of each target without lenses that nothing feeds, in the same proportion and again summing to 1.

    A target that nothing feeds at all stays as it is, and so do those ``untouched``.
    """
    found: Rows = []
    for target in dict.fromkeys(row["target"] for row in weights):
        rows = [row for row in weights if row["target"] == target]
        kept = [row for row in rows if row["factor"] not in unfed]
        if len(kept) < len(rows) and kept and target not in untouched:
            whole = sum((Decimal(row["weight"]) for row in kept), Decimal())
            for row in kept:
                row["weight"] = str((Decimal(row["weight"]) / whole).quantize(Decimal("0.0001")))
            rest = 1 - sum((Decimal(row["weight"]) for row in kept), Decimal())
            kept[0]["weight"] = str(Decimal(kept[0]["weight"]) + rest)
            rows = kept
        found += rows
    return found


def _check(settings: Settings, draft: Draft, versions: list[PolicyVersion], last: PolicyVersion, copied: str) -> None:
    stated = [version.policy_version for version in versions]
    if not NAME.fullmatch(draft.policy_version):
        raise PolicyError(f"policy: {draft.policy_version!r} is no name of a version, expected one like 2026.1")
    if draft.policy_version in stated:
        raise PolicyError(
            f"policy: version {draft.policy_version} is stated in {settings.policy / VERSIONS}, expected a new name; "
            "one that no release was decided under can be edited as it stands"
        )
    if copied not in stated:
        raise PolicyError(f"policy: there is no version {copied} to copy, expected one of {', '.join(stated)}")
    if draft.since <= last.effective_from or last.effective_to not in (None, draft.since):
        expected = last.effective_to or f"a day after {last.effective_from}"
        raise PolicyError(
            f"policy: {draft.policy_version} would take over on {draft.since}, expected {expected}: "
            f"{last.policy_version} is in force from {last.effective_from} to {last.effective_to or 'its successor'}"
        )
    decided = max(decided_days(settings), default=None)
    if decided and draft.since <= decided:
        raise PolicyError(
            f"policy: {draft.policy_version} would take over on {draft.since}, expected a day after {decided}, the "
            "newest that is decided: what was decided stays"
        )
    ends = _end_of_day(settings, draft.since)
    if draft.approved_at > ends:
        raise PolicyError(
            f"policy: {draft.policy_version} would be approved at {_stamp(draft.approved_at)}, when {draft.since} has "
            f"ended ({_stamp(ends)}): no version would be in force on that day; let it take over later, or say by "
            "--approved-at when it was approved"
        )


def _end_of_day(settings: Settings, day: date) -> datetime:
    """Where the home's systems say it, else in UTC."""
    if settings.sources.exists():
        return load_registry(settings.sources).end_of_day(day)
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _with_copy(file: Path, policy_version: str, copied: str) -> Rows:
    rows = [row for _, row in read_rows(file) if row["policy_version"] != policy_version]
    return rows + [row | {"policy_version": policy_version} for row in rows if row["policy_version"] == copied]


def _stated(file: Path, draft: Draft, last: PolicyVersion, copied: str) -> Rows:
    rows = [row for _, row in read_rows(file)]
    since = draft.since.isoformat()
    new = {
        "policy_version": draft.policy_version,
        "effective_from": since,
        "effective_to": "",
        "approved_at": _stamp(draft.approved_at),
        "approved_by": draft.approved_by,
        "note": draft.note,
    }
    (pattern,) = (row for row in rows if row["policy_version"] == copied)
    closed = [row | {"effective_to": since} if row["policy_version"] == last.policy_version else row for row in rows]
    return [*closed, pattern | new]


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
