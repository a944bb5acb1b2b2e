"""Failures that somebody answers for until a day: the rows of ``waivers.csv``, and what they change of a verdict.

A waiver names one check on one subject, who took it on, why, and the first and last as-of date it holds for; there is
none without an end. It covers bad data only: a check that could not run is not known to be harmless, and what dbt
refuses has stopped the build, so that nothing stands behind it to publish.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from data_quality.verdicts import Verdict

COLUMNS = ("check_name", "subject", "from_date", "until_date", "owner", "reason")
WAIVERS = "waivers.csv"
EXPIRED_CHECK = "no_waiver_has_expired"


class WaiverError(ValueError):
    """``waivers.csv`` does not say what it must."""


@dataclass(frozen=True)
class Waiver:
    """One row. Both dates are as-of dates and count."""

    check_name: str
    subject: str
    from_date: date
    until_date: date
    owner: str
    reason: str

    def covers(self, verdict: Verdict, as_of_date: date) -> bool:
        """Whether it is in force for the check and its failure is one that can be waived."""
        return (
            (self.check_name, self.subject) == (verdict.check_name, verdict.subject)
            and self.from_date <= as_of_date <= self.until_date
            and verdict.status in ("fail", "warn")
            and not (verdict.owner == "dbt" and verdict.blocks)
        )


def load_waivers(file: Path) -> tuple[Waiver, ...]:
    """All rows; none without the file. Raises WaiverError with the line at fault and the mend."""
    if not file.exists():
        return ()
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise WaiverError(
                f"waivers: {file} has columns {reader.fieldnames}, expected {', '.join(COLUMNS)}; write them as its "
                "first line, or remove the file"
            )
        return tuple(_waiver(f"waivers: line {reader.line_num} of {file}", row) for row in reader)


def apply_waivers(verdicts: Iterable[Verdict], waivers: Sequence[Waiver], as_of_date: date) -> list[Verdict]:
    """The verdicts in their order; one with a waiver in force is ``waived`` and says by whom, until when and why."""
    return [_waived(verdict, waivers, as_of_date) for verdict in verdicts]


def expired_verdict(waivers: Sequence[Waiver], as_of_date: date) -> Verdict:
    """A warning while rows stand in the file that ended before the day: they do nothing any more."""
    expired = [waiver for waiver in waivers if waiver.until_date < as_of_date]
    told = "; ".join(f"{one.check_name} on {one.subject}, until {one.until_date} by {one.owner}" for one in expired)
    return Verdict(
        check_name=EXPIRED_CHECK,
        subject=WAIVERS,
        status="warn" if expired else "pass",
        severity="warning",
        owner="waivers",
        observed=told or f"{len(waivers)} waivers",
        expected="none that ended before the as-of date; renew it with a new row, or remove it",
    )


def _waived(verdict: Verdict, waivers: Sequence[Waiver], as_of_date: date) -> Verdict:
    for waiver in waivers:
        if waiver.covers(verdict, as_of_date):
            told = f"{verdict.observed}; waived by {waiver.owner} until {waiver.until_date}: {waiver.reason}"
            return replace(verdict, status="waived", observed=told)
    return verdict


def _waiver(where: str, row: dict[str, str | None]) -> Waiver:
    fields = {column: (row[column] or "").strip() for column in COLUMNS}
    if empty := [column for column, text in fields.items() if not text]:
        raise WaiverError(
            f"{where}: {', '.join(empty)} is empty, expected every column; a waiver has an owner and an end"
        )
    dates = {column: _day(where, column, fields[column]) for column in ("from_date", "until_date")}
    if dates["until_date"] < dates["from_date"]:
        raise WaiverError(
            f"{where}: until_date is {dates['until_date']}, expected {dates['from_date']}, its from_date, or later"
        )
    return Waiver(
        check_name=fields["check_name"],
        subject=fields["subject"],
        owner=fields["owner"],
        reason=fields["reason"],
        **dates,
    )


def _day(where: str, column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WaiverError(f"{where}: {column} is {text!r}, expected a day like 2026-01-31") from error
