"""Promises of the content hash: the order of rows never matters, everything else does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from orchestration.release.content_hash import content_hash

COLUMNS = (
    ("id", "varchar"),
    ("note", "varchar"),
    ("amount", "decimal(18,4)"),
    ("total", "decimal(38,4)"),
    ("n", "bigint"),
    ("is_set", "boolean"),
    ("day", "date"),
    ("known_at", "timestamptz"),
)
TEXT = st.text(st.sampled_from("ab\\nu\x1e\x1f\x00 '") | st.characters(exclude_categories=["Cs"]), max_size=4)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "varchar": TEXT,
    "decimal(18,4)": st.decimals(Decimal("-99999999999999.9999"), Decimal("99999999999999.9999"), places=4),
    "decimal(38,4)": st.decimals(Decimal(-(10**18)), Decimal(10**18), places=4),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "date": DAYS,
    "timestamptz": st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
}
ROW = st.tuples(*(st.none() | VALUES[kind] for _, kind in COLUMNS))
NULLS = (None,) * len(COLUMNS)


def hash_of(rows: list[tuple[Any, ...]], columns: tuple[tuple[str, str], ...] = COLUMNS, threads: int = 1) -> str:
    with duckdb.connect(config={"threads": str(threads)}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create table t ({', '.join(f'{name} {kind}' for name, kind in columns)})")
        if rows:
            connection.executemany(f"insert into t values ({', '.join('?' * len(columns))})", rows)
        return content_hash(connection, "t", columns)


@given(rows=st.lists(ROW, max_size=6), data=st.data())
def test_the_order_of_rows_does_not_matter(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    assert hash_of(rows) == hash_of(data.draw(st.permutations(rows)))


@given(rows=st.lists(ROW, min_size=1, max_size=4), data=st.data())
def test_any_changed_cell_changes_the_hash(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(COLUMNS) - 1))
    value = data.draw(st.none() | VALUES[COLUMNS[column][1]])
    assume(value != rows[row][column])
    changed = [*rows[row][:column], value, *rows[row][column + 1 :]]
    assert hash_of(rows) != hash_of([*rows[:row], tuple(changed), *rows[row + 1 :]])


@given(one=st.tuples(st.none() | TEXT, st.none() | TEXT), other=st.tuples(st.none() | TEXT, st.none() | TEXT))
@example(one=("a\x1fb", "c"), other=("a", "b\x1fc"))
@example(one=("\x1e", "c"), other=(None, "c"))
@example(one=("\\n", "c"), other=("\x1e", "c"))
@example(one=("\\u", "c"), other=("\x1f", "c"))
@example(one=("a\\", "u"), other=("a\x1f", ""))
@example(one=("", None), other=(None, ""))
def test_two_different_rows_of_text_never_look_alike(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (one == other) == (hash_of([one], COLUMNS[:2]) == hash_of([other], COLUMNS[:2]))


@given(rows=st.lists(ROW, max_size=3), again=ROW)
def test_equal_rows_do_not_cancel(rows: list[tuple[Any, ...]], again: tuple[Any, ...]) -> None:
    hashes = [hash_of([*rows, *[again] * times]) for times in range(4)]
    assert len(set(hashes)) == len(hashes)


@given(rows=st.lists(ROW, max_size=3), one=ROW, other=ROW)
def test_two_equal_rows_are_not_two_other_equal_rows(
    rows: list[tuple[Any, ...]], one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    """Under exclusive or, either pair would vanish and leave the same hash."""
    assume(one != other)
    assert hash_of([*rows, one, one]) != hash_of([*rows, other, other])


def test_the_schema_is_part_of_the_content() -> None:
    empty = hash_of([])
    renamed = (("key", "varchar"), *COLUMNS[1:])
    retyped = (*COLUMNS[:2], ("amount", "decimal(18,2)"), *COLUMNS[3:])
    swapped = (COLUMNS[1], COLUMNS[0], *COLUMNS[2:])
    assert len({empty, hash_of([NULLS])} | {hash_of([], columns) for columns in (renamed, retyped, swapped)}) == 5


def test_equal_amounts_of_another_scale_are_other_content() -> None:
    fine, coarse = (("amount", "decimal(18,4)"),), (("amount", "decimal(18,2)"),)
    assert hash_of([(Decimal("1.5"),)], fine) != hash_of([(Decimal("1.5"),)], coarse)


@pytest.mark.parametrize("kind", ["double", "DOUBLE", "float", "real", "float4", "float8"])
def test_floating_columns_are_refused_by_name(kind: str) -> None:
    with pytest.raises(ValueError, match=f"column rate is {kind.lower()}, expected a type with exact equality"):
        hash_of([], (("id", "varchar"), ("rate", kind)))


def test_neither_threads_nor_the_session_zone_matter() -> None:
    hashes = set()
    for threads, zone in ((1, "UTC"), (4, "Asia/Shanghai")):
        with duckdb.connect(config={"threads": str(threads)}) as connection:
            connection.execute(f"set timezone = '{zone}'")
            connection.execute(
                "create table t as select i as n, timestamptz '2025-01-01 00:00:00+00' + interval (i) minute "
                "as known_at, "
                "cast(i as decimal(18, 4)) / 8 as amount from range(300_000) r(i)"
            )
            connection.execute("alter table t alter amount type decimal(18, 4)")
            hashes.add(
                content_hash(
                    connection, "t", [("n", "bigint"), ("known_at", "timestamptz"), ("amount", "decimal(18,4)")]
                )
            )
    assert len(hashes) == 1
