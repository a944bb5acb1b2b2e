"""What plain SQL says of a relation under judgement: its columns, rows and batches, and where a rule is broken.

No judging here and no Great Expectations: ``connection`` is any SQLAlchemy connection to DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_quality.rules import RowRule


@dataclass(frozen=True)
class Frame:
    """A relation as a view. ``batches``: the ids in it, none without a ``batch_id`` column."""

    view: str
    columns: Mapping[str, str]
    rows: int
    batches: tuple[str, ...]


def look_at(connection: Any, view: str, relation: str) -> Frame:
    """Make the select ``relation`` the view ``view`` and read it once. Raises what DuckDB raises."""
    connection.exec_driver_sql(f"create or replace view {view} as {relation}")
    connection.commit()
    columns = {row[0]: row[1] for row in connection.exec_driver_sql(f"describe {view}")}
    counts = _rows_per_batch(connection, view, "batch_id" in columns)
    return Frame(view, columns, sum(counts.values()), _ids(counts))


def offence(connection: Any, frame: Frame, rule: RowRule) -> tuple[str, tuple[str, ...]]:
    """How many rows break the rule, in words without values, and the batches that hold them.

    Every batch is named when an offending row names none: a doubt holds too much and never too little.
    """
    counts = _rows_per_batch(connection, f"({rule.offenders(frame.view)})", "batch_id" in frame.columns)
    offending = sum(counts.values())
    share = offending / frame.rows if frame.rows else 0.0
    found = _ids(counts)
    is_doubtful = not found or None in counts
    return f"{offending} of {frame.rows} rows ({share:.1%})", frame.batches if is_doubtful else found


def _rows_per_batch(connection: Any, relation: str, has_batches: bool) -> dict[str | None, int]:
    batch_id = "cast(batch_id as varchar)" if has_batches else "null"
    return dict(connection.exec_driver_sql(f"select {batch_id}, count(*) from {relation} group by 1").fetchall())


def _ids(counts: Mapping[str | None, int]) -> tuple[str, ...]:
    return tuple(sorted(batch for batch in counts if batch is not None))
