"""Two answers to the same question side by side: a release and its recomputation, a decision and another one.

Only files and tables are read here; how the second answer is made is ``orchestration/scratch.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.release.content_hash import content_hash
from orchestration.release.dictionary import Mart


@dataclass(frozen=True)
class MartComparison:
    """Content hashes of one mart as released and as recomputed; ``recomputed`` is None when it was not made again."""

    name: str
    released: str
    recomputed: str | None

    @property
    def is_identical(self) -> bool:
        return self.released == self.recomputed


@dataclass(frozen=True)
class TierChanges:
    """Customers whose tier differs between two decisions of one day; ``tiers`` holds (tier, decided, then)."""

    changed: int
    only_decided: int
    only_then: int
    tiers: tuple[tuple[str, int, int], ...]


def compare_marts(
    build: duckdb.DuckDBPyConnection, marts: Sequence[Mart], released: dict[str, Any]
) -> list[MartComparison]:
    """Every mart that the release's manifest has a content hash of, against the same mart of a build."""
    day = date.fromisoformat(released["as_of_date"])
    built = {
        row[:2] for row in build.execute("select table_schema, table_name from information_schema.tables").fetchall()
    }
    recomputed = {
        mart.name: content_hash(build, _as_released(mart, day), mart.hashed_columns)
        for mart in marts
        if mart.is_hashed and (mart.schema, mart.name) in built
    }
    return [
        MartComparison(name, mart["content_hash"], recomputed.get(name))
        for name, mart in sorted(released["marts"].items())
        if mart["content_hash"]
    ]


def compare_tiers(decided: Path, then: Path) -> TierChanges:
    """The published decision of a day (its file in the ledger) against ``customer_tiers.parquet`` made otherwise."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table tiers as
            select decided.tier as decided, other.tier as other
            from read_parquet(?) as decided
            full outer join read_parquet(?) as other on decided.customer_id = other.customer_id
            """,
            [str(decided), str(then)],
        )
        changed, only_decided, only_then = connection.execute(
            """
            select count(*) filter (where decided <> other), count(*) filter (where other is null),
                count(*) filter (where decided is null)
            from tiers
            """
        ).fetchall()[0]
        tiers = connection.execute(
            """
            select tier, count(*) filter (where is_decided), count(*) filter (where not is_decided)
            from (
                select decided as tier, true as is_decided from tiers
                union all
                select other as tier, false as is_decided from tiers
            )
            where tier is not null group by tier order by tier
            """
        ).fetchall()
    return TierChanges(changed, only_decided, only_then, tuple(tiers))


def _as_released(mart: Mart, day: date) -> str:
    return f"({mart.released_on(day)})"
