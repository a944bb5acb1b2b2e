"""How a mart differs from the same mart of the last release: rows, sums, shares of nulls, and mixes of categories.

What is compared is said by the measures of ``thresholds.csv``: ``rows`` and ``sum_of_<column>`` as a ratio to the last
release, ``nulls`` as the change of each column's share, ``mix_of_<column>[_and_<column>]`` as total variation distance.
Here figures are drawn, both sides with the same queries; whether they are within bounds is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from data_quality.rules import Rule, quoted
from data_quality.table_rules import Figure, Within
from data_quality.thresholds import Thresholds

ROWS, NULLS, SUM_OF, MIX_OF = "rows", "nulls", "sum_of_", "mix_of_"
Category = tuple[str | None, ...]


@dataclass(frozen=True)
class Profile:
    """What a relation holds, as far as the measures ask for it. ``mixes``: measure → category → rows."""

    rows: int
    sums: Mapping[str, Decimal]
    nulls: Mapping[str, int]
    mixes: Mapping[str, Mapping[Category, int]]


def compared_rules(
    connection: duckdb.DuckDBPyConnection, thresholds: Thresholds, mart: str, now: str, before: str
) -> tuple[Rule, ...]:
    """The rules that compare ``now`` with ``before``, both relations in SQL.

    A release too small to speak of shares, and columns it does not have, are not compared.
    """
    measures = thresholds.measures("release", mart)
    least, _ = thresholds.history("usual_records")
    was = profile(connection, before, measures)
    if was.rows < least:
        nothing = f"nothing to compare with: {was.rows} rows in the last release, expected {least} or more"
        return drift_rules(thresholds, mart, nothing=nothing)
    return drift_rules(thresholds, mart, _figures(profile(connection, now, measures), was, measures))


def drift_rules(
    thresholds: Thresholds,
    mart: str,
    drawn: Mapping[str, tuple[Figure, ...]] | None = None,
    nothing: str = "nothing to compare with: no release before",
) -> tuple[Rule, ...]:
    """What holds a mart to the last release, by the figures ``drawn`` of each measure; without any it holds, and says
    so."""
    figures = drawn or {}
    return tuple(
        Within(measure, figures.get(measure, ()), row.minimum, row.maximum, nothing=nothing, severity=row.severity)
        for measure in thresholds.measures("release", mart)
        for row in thresholds.of("release", mart, measure)
    )


def profile(connection: duckdb.DuckDBPyConnection, relation: str, measures: Sequence[str]) -> Profile:
    """Read what the measures ask for: one query, and one for each mix."""
    columns = [row[0] for row in connection.execute(f"describe from {relation}").fetchall()]
    summed = [name for name in columns if SUM_OF + name in measures]
    counted = columns if NULLS in measures else []
    totals = [f"cast(coalesce(sum({quoted(name)}), 0) as decimal(38, 4))" for name in summed]
    nulls = [f"count(*) - count({quoted(name)})" for name in counted]
    row = connection.execute(f"select {', '.join(['count(*)', *totals, *nulls])} from {relation}").fetchall()[0]
    mixes = {}
    for measure in measures:
        parts = measure.removeprefix(MIX_OF).split("_and_") if measure.startswith(MIX_OF) else []
        if parts and set(parts) <= set(columns):
            names = ", ".join(quoted(part) for part in parts)
            rows = connection.execute(f"select {names}, count(*) from {relation} group by all").fetchall()
            mixes[measure] = {found[:-1]: found[-1] for found in rows}
    return Profile(
        row[0],
        dict(zip(summed, row[1:], strict=False)),
        dict(zip(counted, row[1 + len(summed) :], strict=True)),
        mixes,
    )


def _figures(now: Profile, was: Profile, measures: Sequence[str]) -> dict[str, tuple[Figure, ...]]:
    return {
        measure: tuple(
            _null_changes(now, was)
            if measure == NULLS
            else _distance(now.mixes.get(measure), was.mixes.get(measure))
            if measure.startswith(MIX_OF)
            else _ratio(measure, now, was)
        )
        for measure in measures
    }


def _ratio(measure: str, now: Profile, was: Profile) -> Iterator[Figure]:
    """Of rows or of a sum; a total of zero has no ratio to it."""
    column = measure.removeprefix(SUM_OF)
    found, usual = (Decimal(one.rows) if measure == ROWS else one.sums.get(column) for one in (now, was))
    if found is not None and usual:
        yield Figure(round(found / usual, 4), f"{found:,f}, {usual:,f} in the last release")


def _null_changes(now: Profile, was: Profile) -> Iterator[Figure]:
    """One figure for each column that both have."""
    for column, nulls in now.nulls.items():
        if column in was.nulls and now.rows:
            found, usual = Decimal(nulls) / now.rows, Decimal(was.nulls[column]) / was.rows
            told = f"{column}: {found:.1%} nulls, {usual:.1%} in the last release"
            yield Figure(round(abs(found - usual), 4), told)


def _distance(now: Mapping[Category, int] | None, was: Mapping[Category, int] | None) -> Iterator[Figure]:
    """Half the sum of the differences of shares; told by the category that moved most."""
    if not now or not was:
        return
    shares = [
        {category: Decimal(mix.get(category, 0)) / sum(mix.values()) for category in {*now, *was}} for mix in (now, was)
    ]
    moved = {category: abs(share - shares[1][category]) for category, share in shares[0].items()}
    most = max(sorted(moved, key=str), key=lambda category: moved[category])
    name = " ".join("none" if part is None else str(part) for part in most)
    told = f"{name}: {shares[0][most]:.1%}, {shares[1][most]:.1%} in the last release"
    yield Figure(round(sum(moved.values(), Decimal()) / 2, 4), told)
