"""One verdict per check: what every owner of checks (quality suites, dbt tests, reconciliation) reports.

Plain values only. How a check is run belongs to its owner; who stores verdicts or acts on them is elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

STATUSES = ("pass", "warn", "fail", "error", "waived")
SEVERITIES = ("error", "warning")
OWNERS = ("great_expectations", "dbt", "reconciliation", "landing", "waivers")


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check on one subject. ``fail`` is bad data; ``error`` is a check that could not run.

    ``observed`` holds counts and percentages, never a value of a personal column. ``batch_ids`` are the batches
    with the offending rows; empty when the check passed or the subject has no batches.
    Raises ValueError on an unknown status, severity or owner.
    """

    check_name: str
    subject: str
    status: str
    severity: str
    owner: str
    observed: str
    expected: str
    batch_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._refuse_unknown("status", self.status, STATUSES)
        self._refuse_unknown("severity", self.severity, SEVERITIES)
        self._refuse_unknown("owner", self.owner, OWNERS)

    @property
    def blocks(self) -> bool:
        """Whether nothing may be published (or the batch let in) on this verdict."""
        return self.severity == "error" and self.status in ("fail", "error")

    def _refuse_unknown(self, field: str, value: str, known: tuple[str, ...]) -> None:
        if value not in known:
            raise ValueError(
                f"verdict {self.check_name} on {self.subject}: {field} is {value!r}, expected one of {', '.join(known)}"
            )


def append_verdicts(file: Path, verdicts: Iterable[Verdict]) -> None:
    """Add verdicts to a run's log, one JSON line each; every owner of checks writes here as soon as it knows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as log:
        log.writelines(json.dumps(asdict(verdict), ensure_ascii=False) + "\n" for verdict in verdicts)


def read_verdicts(file: Path) -> list[Verdict]:
    """All verdicts of a run's log in the order they were given; none when nothing was checked yet."""
    if not file.exists():
        return []
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    return [Verdict(**(line | {"batch_ids": tuple(line["batch_ids"])})) for line in lines]
