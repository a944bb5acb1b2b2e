"""Promises of landing when a sender changes its columns: nothing is read wrongly, and the mend is said."""

from __future__ import annotations

import re
from datetime import date

import pytest

from orchestration.extract import landing
from orchestration.extract.candidate import Candidate
from orchestration.extract.landing_checks import landing_verdicts
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import Feed, load_registry
from orchestration.settings import Settings

# Of each system a table of the demo's own map: header, a record, an optional column and a number or date among them,
# and how a sender might call the optional one tomorrow.
SENT = {
    "crm.activity": (
        {"活动编号": "A1", "客户编号": "C1", "联系人编号": "P1", "沟通方式": "拜访", "发起方": "我方", "负责人": "E1",
         "发生时间": "2025-01-01 10:00:00"}, "联系人编号", "发生时间", "联系人号"),
    "sales.order_line": (
        {"line_key": "L1", "order_no": "O1", "item_code": "P1", "qty": "1", "list_value": "5", "discount_value": "0",
         "net_value": "5", "tax_value": "1", "cost_value": "3"}, "tax_value", "net_value", "tax_values"),
    "finance.payment": (
        {"receipt_no": "R1", "debtor_no": "D1", "value_date": "2025-01-01", "amount": "5", "currency": "CNY",
         "method": "wire", "refund": "N", "unapplied": "0"}, "unapplied", "value_date", "unapplied_amount"),
}  # fmt: skip


def feed_of(settings: Settings, table: str) -> Feed:
    family, entity = table.split(".")
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(
        f"start_date: 2025-01-01\nsources:\n  {family}:\n    family: {family}\n    timezone: Asia/Shanghai\n"
        f"    map: demo_{family}\n    tables:\n      {entity}: {{format: csv, delivered: daily, "
        f'files: "{entity}_{{delivery_date}}.csv"}}\n',
        encoding="utf-8",
    )
    (feed,) = load_registry(settings.sources).feeds
    return feed


def delivered(settings: Settings, feed: Feed, day: int, record: dict[str, str]) -> Candidate:
    file = settings.landing / feed.folder / f"{feed.table.entity}_2025010{day}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{','.join(record)}\n{','.join(record.values())}\n", encoding="utf-8")
    (candidate,) = landing.prepare(settings, landing.pending_deliveries(settings, [feed], date(2025, 1, day)))
    if candidate.held is None:
        landing.commit(settings, [candidate], None)
    return candidate


@pytest.mark.parametrize("table", SENT)
def test_columns_in_another_order_are_the_same_columns(settings: Settings, table: str) -> None:
    record, *_ = SENT[table]
    candidate = delivered(settings, feed_of(settings, table), 1, dict(reversed(record.items())))
    assert (candidate.held, candidate.accepted) == (None, 1)


@pytest.mark.parametrize("table", SENT)
def test_an_added_column_is_taken_note_of_and_the_rows_are_taken(settings: Settings, table: str) -> None:
    record, *_ = SENT[table]
    feed = feed_of(settings, table)
    delivered(settings, feed, 1, record)
    before = read_manifest(settings.manifest)
    candidate = delivered(settings, feed, 2, record | {"new": "x"})
    assert (candidate.held, candidate.accepted, candidate.unknown_columns) == (None, 1, ("new",))
    (verdict,) = (
        v for v in landing_verdicts(feed.table, [candidate], before) if v.check_name == "no_column_is_unknown"
    )
    assert (verdict.status, "new" in verdict.observed) == ("warn", True)


def say(settings: Settings, line: str) -> Feed:
    """The feed once its map has the line."""
    text = settings.sources.read_text(encoding="utf-8")
    settings.sources.write_text(text.replace("csv,", f"csv, columns: {{{line}}},"), encoding="utf-8")
    (feed,) = load_registry(settings.sources).feeds
    return feed


@pytest.mark.parametrize("table", SENT)
def test_a_removed_column_holds_the_file_and_says_how_to_go_on_without(settings: Settings, table: str) -> None:
    record, optional, *_ = SENT[table]
    feed = feed_of(settings, table)
    without = {name: value for name, value in record.items() if name != optional}
    (goal,) = (name for name, spec in feed.columns.items() if optional in spec.sources)
    held = str(delivered(settings, feed, 1, without).held)
    assert f"if {optional!r} is no longer sent, say so in sources.yml: {goal}: null" in held
    assert delivered(settings, say(settings, f"{goal}: null"), 1, without).accepted == 1


@pytest.mark.parametrize("table", SENT)
def test_a_renamed_column_holds_the_file_with_the_line_that_reads_it(settings: Settings, table: str) -> None:
    record, optional, _, renamed = SENT[table]
    changed = {renamed if name == optional else name: value for name, value in record.items()}
    held = str(delivered(settings, feed_of(settings, table), 1, changed).held)
    line = re.search(rf"'{renamed}' may be '{optional}' renamed: (\w+: \w+)", held)
    assert line is not None, held
    assert delivered(settings, say(settings, line[1]), 1, changed).accepted == 1


@pytest.mark.parametrize("table", SENT)
def test_a_retyped_column_sets_its_rows_aside_one_by_one(settings: Settings, table: str) -> None:
    record, _, typed, _ = SENT[table]
    candidate = delivered(settings, feed_of(settings, table), 1, record | {typed: "n/a"})
    assert (candidate.held, candidate.accepted, candidate.quarantined) == (None, 0, 1)


def test_a_required_column_that_nothing_resembles_is_only_named(settings: Settings) -> None:
    record, *_ = SENT["finance.payment"]
    feed = feed_of(settings, "finance.payment")
    held = str(delivered(settings, feed, 1, {n: v for n, v in record.items() if n != "receipt_no"}).held)
    assert "columns ['receipt_no'] are not in the file" in held
    assert "null" not in held
