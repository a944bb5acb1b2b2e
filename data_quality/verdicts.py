"""One verdict per check: what every owner of checks (quality suites, dbt tests, reconciliation) reports.

Plain values only. How a check is run belongs to its owner; who stores verdicts or acts on them is elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Given:
    """A verdict with the instant it was given at (UTC)."""

    verdict: Verdict
    given_at: datetime


class ForgedVerdict(RuntimeError):
    """A line of a log is not as its run wrote it."""


@dataclass(frozen=True)
class VerdictLog:
    """The verdicts of one run in a file, one JSON line each; every owner of checks writes as soon as it knows.

    Each line carries a seal, HMAC-SHA256 (RFC 2104) under ``key`` of the seal before it and of its own text; the first
    takes the run's id for the seal before. So no line can be changed, added, moved, left out from the middle or taken
    from another run's log without the key. Lines left out at the end are missed by the list of promised checks.
    """

    file: Path
    run_id: str
    key: bytes

    def append(self, verdicts: Iterable[Verdict]) -> None:
        """Add verdicts, given now."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        lines = self._lines()
        seal = json.loads(lines[-1])["seal"] if lines else self.run_id
        given_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self.file.open("a", encoding="utf-8") as log:
            for verdict in verdicts:
                text = _text({"given_at": given_at, "verdict": asdict(verdict)})
                seal = self._seal(seal, text)
                log.write(f'{text[:-1]}, "seal": "{seal}"}}\n')

    def read(self) -> list[Given]:
        """All verdicts in the order they were given; none when nothing was checked yet.

        Raises ForgedVerdict naming the line that is not as it was written.
        """
        given = []
        seal = self.run_id
        for number, line in enumerate(self._lines(), start=1):
            try:
                fields = json.loads(line)
                found = fields.pop("seal")
                text = _text(fields)
                seal = self._seal(seal, text)
                if not hmac.compare_digest(found, seal):
                    raise ValueError("its seal is not the one of its text")
                verdict = fields["verdict"]
                given.append(
                    Given(
                        Verdict(**(verdict | {"batch_ids": tuple(verdict["batch_ids"])})),
                        datetime.fromisoformat(fields["given_at"]),
                    )
                )
            except (ValueError, TypeError, KeyError) as error:
                raise ForgedVerdict(
                    f"verdicts: line {number} of {self.file} is not as run {self.run_id} wrote it ({error}); "
                    "run the day again"
                ) from error
        return given

    def _lines(self) -> list[str]:
        if not self.file.exists():
            return []
        return self.file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")[:-1]

    def _seal(self, before: str, text: str) -> str:
        return hmac.new(self.key, f"{before}|{text}".encode(), hashlib.sha256).hexdigest()[:32]


def _text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True)
