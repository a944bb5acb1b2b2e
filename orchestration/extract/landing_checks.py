"""What landing itself says of the files of a table: read, delivered once, with known columns, with sound rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from data_quality.verdicts import Verdict
from orchestration.extract.candidate import Candidate
from orchestration.extract.contract import Table
from orchestration.extract.manifest import Batch

FILES_CHECK = "every_file_is_expected"
READ_CHECK = "every_delivered_file_can_be_read"
LANDING_CHECKS = {
    READ_CHECK: "A file that cannot be read is held, until the sender mends it with a later extraction.",
    "no_row_is_quarantined": "Rows that broke a rule are set aside, not lost.",
    "no_delivery_is_late": "A first file of a delivery that was extracted after the end of the day after its own.",
    "no_delivery_is_restated": "A later extraction replaces what an earlier one of the same delivery said.",
    "no_file_is_delivered_twice": "A file that repeats its delivery adds nothing and is counted as duplicates.",
    "no_column_is_unknown": "A column that no earlier file of the table had is not read: map it, or tell the sender.",
}


def landing_verdicts(table: Table, candidates: Sequence[Candidate], landed: Sequence[Batch]) -> list[Verdict]:
    """One verdict a check on the candidates of one table; ``landed`` are the batches that the table has already.

    A held file blocks, unless a later extraction of the same delivery could be read.
    """
    sound: dict[tuple[str, str, date], list[datetime]] = defaultdict(list)
    for item in candidates:
        if item.held is None:
            sound[item.delivery.key].append(item.delivery.arrival.extracted_at)
    for batch in landed:
        sound[batch.delivery].append(batch.extracted_at)
    held = [item for item in candidates if item.held is not None]
    open_ends = [
        item for item in held if not any(at >= item.delivery.arrival.extracted_at for at in sound[item.delivery.key])
    ]
    new = [item for item in candidates if item.held is None and item.duplicate_of is None]
    restated = [item for item in new if any(at < item.delivery.arrival.extracted_at for at in sound[item.delivery.key])]
    late = [item for item in new if item not in restated and _is_late(item)]
    rejected = [item for item in candidates if item.quarantined]
    repeated = [item for item in candidates if item.duplicate_of]
    surprising = _with_new_columns(candidates, landed)
    found: dict[str, tuple[Sequence[Candidate], str]] = {
        READ_CHECK: (held, "; ".join(str(item.held) for item in held)),
        "no_row_is_quarantined": (rejected, f"{sum(item.quarantined for item in rejected)} rows in {_names(rejected)}"),
        "no_delivery_is_late": (late, _names(late)),
        "no_delivery_is_restated": (restated, _names(restated)),
        "no_file_is_delivered_twice": (repeated, _names(repeated)),
        "no_column_is_unknown": (
            [item for item, _ in surprising],
            "; ".join(f"{item.delivery.file.name}: {', '.join(columns)}" for item, columns in surprising),
        ),
    }
    return [
        Verdict(
            check_name=name,
            subject=table.name,
            status=("fail" if name == READ_CHECK and open_ends else "warn") if offenders else "pass",
            severity="error" if name == READ_CHECK else "warning",
            owner="landing",
            observed=observed if offenders else "none",
            expected="none",
            batch_ids=tuple(item.batch_id for item in offenders),
        )
        for name, (offenders, observed) in found.items()
    ]


def expected_files_verdict(family: str, unexpected: Sequence[str]) -> Verdict:
    """A file whose name fits no table's is not read at all; somebody should know."""
    return Verdict(
        check_name=FILES_CHECK,
        subject=family,
        status="warn" if unexpected else "pass",
        severity="warning",
        owner="landing",
        observed=", ".join(unexpected) or "none",
        expected="none",
    )


def _with_new_columns(
    candidates: Sequence[Candidate], landed: Sequence[Batch]
) -> list[tuple[Candidate, tuple[str, ...]]]:
    """Candidates with unmapped columns that no earlier file of their system had; a first file has none before it."""
    seen: dict[str, set[str]] = {}
    for batch in landed:
        seen.setdefault(batch.source_system, set()).update(batch.unknown_columns)
    surprising = []
    for item in candidates:
        if item.held is not None or item.duplicate_of is not None:
            continue
        known = seen.get(item.delivery.feed.source_system)
        new = tuple(name for name in item.unknown_columns if known is not None and name not in known)
        if new:
            surprising.append((item, new))
        seen.setdefault(item.delivery.feed.source_system, set()).update(item.unknown_columns)
    return surprising


def _is_late(item: Candidate) -> bool:
    """Whether it was extracted too late to be known when its day is decided: after the end of the next day."""
    next_day = item.delivery.delivery_date + timedelta(days=1)
    return item.delivery.arrival.extracted_at > item.delivery.feed.end_of_day(next_day)


def _names(candidates: Sequence[Candidate]) -> str:
    return ", ".join(item.delivery.file.name for item in candidates)
