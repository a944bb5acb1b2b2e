"""Nothing is lost: two identities that hold in every file and across all of them, in records and in money.

Per file: delivered = accepted + duplicates + quarantined + filtered; what was delivered was counted by another reader.
Across files: accepted = current + superseded + deleted + not yet known, for each contract table. And what was accepted
is still what stands in the build: the same records, amounts and contents. Rows are pairs of queries, as in
``reconciliation.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

Comparison = tuple[str, str, str, str]

# A sum over rows that any changed, lost, doubled or exchanged value changes, whatever the order of the rows.
FINGERPRINT = "coalesce(sum(hash({columns})), 0)"


class RawTable(Protocol):
    """What this module reads of a contract table."""

    @property
    def family(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def raw_name(self) -> str: ...
    @property
    def raw_columns(self) -> Mapping[str, str]: ...
    @property
    def control_amount(self) -> str | None: ...


def conservation(tables: Sequence[RawTable]) -> list[Comparison]:
    """All comparisons, (subject, measure, expected, observed), the earlier stage first."""
    return [*_per_file(), *(comparison for table in tables for comparison in _across_files(table))]


def fingerprint(table: RawTable) -> str:
    """The fingerprint of rows of a raw table as an SQL aggregate."""
    return FINGERPRINT.format(columns=", ".join(table.raw_columns))


def _per_file() -> Iterator[Comparison]:
    yield (
        "files to raw zone",
        "records",
        "select sum(records) from run.run_batches",
        "select sum(accepted + duplicates + quarantined + filtered) from run.run_batches",
    )
    yield (
        "files to raw zone",
        "files with a difference in records",
        "select 0",
        "select count(*) from run.run_batches where records <> accepted + duplicates + quarantined + filtered",
    )
    yield (
        "files to raw zone",
        "files and currencies with a difference in money",
        "select 0",
        "select count(*) from run.run_batch_amounts where delivered <> accepted + duplicates + quarantined + filtered",
    )
    yield (
        "files to raw zone",
        "quarantined rows",
        "select sum(quarantined) from run.run_batches",
        "select count(*) from run.run_quarantined_rows",
    )


def _across_files(table: RawTable) -> Iterator[Comparison]:
    batches = f"run.run_batches where family = '{table.family}' and entity = '{table.entity}'"
    raw = f"raw.{table.raw_name}"
    subject = f"raw zone to {table.raw_name}"
    yield (
        subject,
        "accepted rows",
        f"select coalesce(sum(accepted), 0) from {batches}",
        f"select count(*) from {raw} where nth_interval = 1",
    )
    yield (
        subject,
        "contents of accepted rows",
        "select coalesce(sum(fingerprint), 0) from run.run_fingerprints "
        f"where family = '{table.family}' and entity = '{table.entity}'",
        f"select {fingerprint(table)} from {raw} where nth_interval = 1",
    )
    if table.control_amount:
        yield (
            subject,
            table.control_amount,
            "select coalesce(sum(accepted), 0) from run.run_batch_amounts "
            f"where batch_id in (select batch_id from {batches})",
            f"select coalesce(sum({table.control_amount}), 0) from {raw} where nth_interval = 1",
        )
    # A record version is in one state at the release's known_at; one current in several intervals is in the best of
    # them. An emptied or closed interval is superseded, also by a full file that no longer holds the record.
    state = """
        max(case
            when known_from <= release.known_at and release.known_at < known_to
                then case when is_deleted then 3 else 4 end
            when known_from > release.known_at then 1
            else 2
        end)"""
    yield (
        f"{table.raw_name} by state",
        "accepted = current + superseded + deleted + not yet known",
        f"select coalesce(sum(accepted), 0) from {batches}",
        "select count(*) filter (where state = 4) + count(*) filter (where state = 2) "
        "+ count(*) filter (where state = 3) + count(*) filter (where state = 1) "
        f"from (select {state} as state from {raw} cross join release group by batch_id, source_line)",
    )
