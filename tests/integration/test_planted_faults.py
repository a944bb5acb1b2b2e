"""Promises about the faults the demo company plants: each is found under its own rule, and nothing else is set aside.

``planted.jsonl`` says of each fault where it is and what must find it; here both are counted, kind by kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from installation import Published, rows

from orchestration.demo.plant import Planted

MAPS = Path(__file__).parents[2] / "orchestration" / "extract" / "maps"
SET_ASIDE = ("required", "type", "range", "broken_line", "no_fx_rate")


def canonical_column(fault: Planted) -> str | None:
    """What the contract calls the column."""
    tables = yaml.safe_load((MAPS / f"demo_{fault.source}.yml").read_text(encoding="utf-8"))["tables"]
    columns = tables[f"{fault.source}.{fault.entity}"]["columns"]
    sources = {name: spec if isinstance(spec, str) else spec.get("column") for name, spec in columns.items()}
    return next(name for name, source in sources.items() if source == fault.column) if fault.column else None


def planted_in(published: Published) -> list[Planted]:
    lines = (published.home / "planted.jsonl").read_text(encoding="utf-8").splitlines()
    return [Planted(**json.loads(line)) for line in lines]


def mart(published: Published, name: str) -> str:
    return f"read_parquet('{published.release / name}.parquet')"


def quarantine(published: Published) -> list[tuple[str, int, str, str | None]]:
    query = f"select file_name, source_line, rule, column_name from {mart(published, 'audit_quarantine')} order by all"
    return list(rows(query))


def warnings(published: Published, check: str) -> list[str]:
    """What a check observed wherever it warned, in every release that was published."""
    files = str(published.release.parent / "2*" / "audit_checks.parquet")
    query = "select observed from read_parquet(?) where check_name = ? and status = 'warn'"
    return [observed for (observed,) in rows(query, files, check)]


def set_aside(published: Published, faults: Sequence[Planted]) -> int:
    expected = [(f"{f.source}/{f.file}", f.source_line, f.found_as, canonical_column(f)) for f in faults]
    return sum(row in expected for row in quarantine(published))


def named_by_the_check(published: Published, faults: Sequence[Planted]) -> int:
    told = " ".join(observed for check in {f.found_as for f in faults} for observed in warnings(published, check))
    return sum(f.file in told and (f.found_as != "no_column_is_unknown" or str(f.column) in told) for f in faults)


def counted_by_the_check(published: Published, faults: Sequence[Planted]) -> int:
    """A rule about rows says how many of how many broke it."""
    told = [observed for check in {f.found_as for f in faults} for observed in warnings(published, check)]
    return sum(int(match[1]) for observed in told if (match := re.match(r"(\d+) of ", observed)))


def unattributed(published: Published, faults: Sequence[Planted]) -> int:
    query = f"select order_id, unattributed_reason from {mart(published, 'customer_orders')} where customer_id is null"
    reasons = dict(rows(query))
    return sum(reasons.get(f.record) == f.found_as for f in faults)


def returned_on_the_day_of_its_order(published: Published, faults: Sequence[Planted]) -> int:
    """The order of the returned line, as its file tells it, is of the day of the return and less by its amount."""
    found = 0
    for f in faults:
        file = published.home / "landing" / f.source / f.file
        query = f"""select count(*) from read_parquet('{file}') as returned
            inner join {mart(published, "customer_orders")} as orders
                on orders.order_id = regexp_extract(returned.source_line_key, '^[^-]+')
            where returned.return_key = ? and orders.order_date = returned.return_time::date
                and orders.returned_amount = returned.net_value"""
        found += rows(query, f.record)[0][0]
    return found


def without_an_order(published: Published, faults: Sequence[Planted]) -> int:
    with duckdb.connect(str(published.settings.warehouse), read_only=True) as build:
        query = "select distinct return_line_id from intermediate.int_returns__converted where is_orphan"
        orphans = {number for (number,) in build.execute(query).fetchall()}
    return sum(f.record in orphans for f in faults)


def understood(published: Published, faults: Sequence[Planted]) -> int:
    """The day in the raw zone is the day of the delivery, however it was written."""
    files = str(published.home / "raw" / "finance" / "payment" / "*" / "*.parquet")
    received: dict[str, date] = dict(rows("select payment_id, received_date from read_parquet(?)", files))
    return sum(f"{received.get(str(f.record)):%Y%m%d}" in f.file for f in faults if str(f.record) in received)


FINDERS: dict[str, Callable[[Published, Sequence[Planted]], int]] = {
    "delivered_twice": named_by_the_check,
    "unexpected_name": named_by_the_check,
    "restated_delivery": named_by_the_check,
    "late_delivery": named_by_the_check,
    "wrong_encoding": named_by_the_check,
    "column_renamed": named_by_the_check,
    "column_added": named_by_the_check,
    "zero_price": counted_by_the_check,
    "negative_price": set_aside,
    "unknown_currency": set_aside,
    "missing_rate": set_aside,
    "broken_line": set_aside,
    "text_in_number": set_aside,
    "date_not_understood": set_aside,
    "date_in_other_format": understood,
    "order_without_customer": unattributed,
    "unknown_customer": unattributed,
    "same_day_return": returned_on_the_day_of_its_order,
    "orphan_return": without_an_order,
}


@pytest.mark.parametrize("kind", FINDERS)
def test_every_planted_fault_is_found_under_its_own_rule(published_home: Published, kind: str) -> None:
    planted = [fault for fault in planted_in(published_home) if fault.kind == kind]
    assert planted
    assert FINDERS[kind](published_home, planted) == len(planted)


def test_every_planted_kind_is_looked_for(published_home: Published) -> None:
    assert {fault.kind for fault in planted_in(published_home)} == set(FINDERS)


def test_no_record_is_set_aside_but_the_planted_ones(published_home: Published) -> None:
    planted = [fault for fault in planted_in(published_home) if fault.found_as in SET_ASIDE]
    expected = sorted((f"{fault.source}/{fault.file}", fault.source_line, fault.found_as) for fault in planted)
    assert sorted(row[:3] for row in quarantine(published_home)) == expected


def test_no_file_is_warned_of_but_the_planted_ones(published_home: Published) -> None:
    planted = planted_in(published_home)
    for check in {fault.found_as for fault in planted if FINDERS[fault.kind] is named_by_the_check}:
        named = {
            name for told in warnings(published_home, check) for name in re.findall(r"\w+_\d{8}[^,;:/]*\.\w+", told)
        }
        assert named == {fault.file for fault in planted if fault.found_as == check}, check


def test_a_restated_delivery_is_counted_as_it_was_known(published_home: Published) -> None:
    """The release before the correction has the amount and the line too many, the one after it has neither."""
    first, second = sorted(published_home.release.parent.glob("2*"))
    query = "select line_count, net_amount from read_parquet(?) where order_id = 'SO99000009'"
    before, after = (rows(query, str(folder / "customer_orders.parquet")) for folder in (first, second))
    assert [(count, f"{amount:.2f}") for count, amount in before] == [(2, "5700.00")]
    assert [(count, f"{amount:.2f}") for count, amount in after] == [(1, "500.00")]
