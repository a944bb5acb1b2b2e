"""Promises of the registry: a mistake in ``sources.yml`` is told with its place, what is there, what was expected."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration.extract.registry import Arrival, SourcesError, load_registry

SOUND = """
company: Acme
start_date: 2025-01-02
sources:
  shop:
    family: sales
    timezone: Asia/Shanghai
    map: demo_sales
    tables:
      order: {files: "order_{delivery_date}.csv", format: csv, delivered: daily}
      product:
        files: "items (all)_{delivery_date}.csv"
        format: csv
        delivered: on_change
        columns: {product_id: code, active: {column: sold, values: {yes: "true"}}}
"""


def registry_file(tmp_path: Path, text: str = SOUND) -> Path:
    file = tmp_path / "sources.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_sound_file_gives_its_feeds(tmp_path: Path) -> None:
    registry = load_registry(registry_file(tmp_path))
    assert (registry.company, registry.start_date) == ("Acme", date(2025, 1, 2))
    assert [(feed.name, feed.delivered, feed.dialect.encoding) for feed in registry.family("sales")] == [
        ("shop.order", "daily", "utf-8"),
        ("shop.product", "on_change", "utf-8"),
    ]
    assert registry.family("crm") == ()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("items (all)_20250131.csv", date(2025, 1, 31)),
        ("items (all)_20250131.csv.tmp", None),
        ("xitems (all)_20250131.csv", None),
        ("items (all)_2025013.csv", None),
        ("items all_20250131.csv", None),
        ("items (all)_20250131xcsv", None),
        ("order_20250131.csv", None),
    ],
)
def test_a_file_name_gives_its_day_only_when_all_of_it_fits(tmp_path: Path, name: str, day: date | None) -> None:
    arrival = load_registry(registry_file(tmp_path)).feeds[1].arrival(name)
    assert (arrival.delivery_date if arrival else None) == day


def test_a_file_name_may_say_when_it_was_extracted(tmp_path: Path) -> None:
    names = '["order_{delivery_date}.csv", "order_{delivery_date}_at_{extracted_at}.csv"]'
    feed = load_registry(registry_file(tmp_path, SOUND.replace('"order_{delivery_date}.csv"', names))).feeds[0]
    restated = feed.arrival("order_20250102_at_20250104T020000.csv")
    assert restated == Arrival(date(2025, 1, 2), datetime(2025, 1, 3, 18, tzinfo=UTC))
    assert feed.arrival("order_20250102_at_20250104.csv") is None


def test_a_file_name_with_a_day_that_does_not_exist_belongs_to_nobody_or_is_told_plainly(tmp_path: Path) -> None:
    feed = load_registry(registry_file(tmp_path)).feeds[0]
    try:
        assert feed.arrival("order_20250230.csv") is None
    except SourcesError as error:
        assert "order_20250230.csv" in str(error)  # noqa: PT017


def test_a_delivery_is_known_at_the_end_of_its_day_where_its_system_stands(tmp_path: Path) -> None:
    feed = load_registry(registry_file(tmp_path)).feeds[0]
    assert feed.end_of_day(date(2025, 1, 1)) == datetime(2025, 1, 1, 16, tzinfo=UTC)


MISTAKES = {
    "another format": ("format: csv, delivered: daily", "format: json, delivered: daily",
        r"shop\.order: format is 'json', expected one of csv, jsonl, parquet, xlsx"),
    "another cadence": ("delivered: daily", "delivered: weekly",
        r"shop\.order: delivered is 'weekly', expected one of daily, on_change"),
    "no date in the name": ("order_{delivery_date}.csv", "order.csv",
        r"shop\.order: files is 'order\.csv', expected a file name with \{delivery_date\}"),
    "a folder in the name": ("order_{delivery_date}.csv", "daily/order_{delivery_date}.csv",
        r"shop\.order: files is 'daily/order_\{delivery_date\}\.csv', expected a file name"),
    "an unknown zone": ("Asia/Shanghai", "Asia/Shangai",
        r"shop\.order: timezone is 'Asia/Shangai', expected a name like Asia/Shanghai"),
    "a zone that is no name": ("Asia/Shanghai", "../etc/passwd",
        r"shop\.order: timezone is '\.\./etc/passwd', expected"),
    "an unknown map": ("map: demo_sales", "map: demo_sails",
        r"shop\.order: map is 'demo_sails', expected one of .*demo_sales"),
    "a map without the table": ("map: demo_sales", "map: demo_crm", r"shop\.order.*demo_crm"),
    "no map and no columns": ("    map: demo_sales\n", "", r"shop\.order.*map"),
    "an unknown table": ("      order:", "      orders:", r"shop.*sales\.orders.*expected one of.*sales\.order"),
    "an unknown family": ("family: sales", "family: sails", r"shop.*sails\.order.*expected one of"),
    "no family": ("    family: sales\n", "", r"shop.*family"),
    "no zone": ("    timezone: Asia/Shanghai\n", "", r"shop.*timezone"),
    "no files": ('files: "order_{delivery_date}.csv", ', "", r"shop\.order.*files"),
    "no format": ("format: csv, delivered: daily", "delivered: daily", r"shop\.order.*format"),
    "no cadence": (", delivered: daily", "", r"shop\.order.*delivered"),
    "an unknown encoding": ("format: csv, delivered: daily", "format: csv, encoding: utf-99, delivered: daily",
        r"shop\.order.*encoding.*utf-99"),
    "an unknown canonical column": ("product_id: code,", "product_id: code, colour: c,",
        r"shop\.product: maps unknown columns \['colour'\], expected columns of sales\.product: \[.*'brand'"),
    "a required column taken out of the map": ("product_id: code, ", "product_id: null, ",
        r"shop\.product: required columns \['product_id'\] of sales\.product are not mapped"),
    "two origins of a column": ("{column: sold,", "{column: sold, constant: 1,",
        r"shop\.product\.active: map is .*, expected .* exactly one of column, constant"),
    "no origin of a column": ("{column: sold, values", "{values",
        r"shop\.product\.active: map is .*, expected .* one of"),
    "an unknown option of a column": ("{column: sold,", "{column: sold, scale: 2,",
        r"shop\.product\.active: map is .*scale.*, expected .* only with, values"),
    "an unknown sign": ("{column: sold,", "{column: sold, sign: plus,",
        r"shop\.product\.active: sign is 'plus', expected keep or negate"),
    "a column name that YAML reads as a boolean": ("product_id: code", "product_id: no", r"shop\.product\.product_id"),
    "a column name that YAML reads as a number": ("product_id: code", "product_id: 17", r"shop\.product\.product_id"),
    "a column name that is missing": ("product_id: code", "product_id: ", r"required columns \['product_id'\]"),
    "a formula that calls": ("product_id: code", 'product_id: {compute: "min({code})"}',
        r"shop\.product\.product_id: compute is 'min\(\{code\}\)', expected columns in braces"),
    "a formula without columns": ("product_id: code", 'product_id: {compute: "1 + 1"}', r"compute is '1 \+ 1'"),
    "a list with a number": ("product_id: code", "product_id: {join: [code, 1]}", r"join is \['code', 1\], expected"),
    "a filter by a mapping": ("format: csv, delivered: daily", "format: csv, only: {a: {b: c}}, delivered: daily",
        r"shop\.order: only of a is \{'b': 'c'\}, expected a word or a list of words"),
    "an unknown zone of a column": ("{column: sold,", "{column: sold, timezone: Mars,", r"shop\.product\.active.*Mars"),
    "no start date": ("start_date: 2025-01-02\n", "", r"start_date"),
    "a start date that is none": ("start_date: 2025-01-02", "start_date: soon", r"start_date.*'soon'"),
    "no sources": (SOUND[SOUND.index("sources:") :], "", r"sources"),
    "not YAML": ("company: Acme", "company: [Acme", r"sources"),
    "a list instead of tables": ("    tables:\n", "    tables: []\n    them:\n", r"shop.*tables"),
    "a source without a body": (SOUND[SOUND.index("    family") :], "", r"shop"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(tmp_path: Path, mistake: str) -> None:
    right, wrong, message = MISTAKES[mistake]
    assert right in SOUND
    with pytest.raises(SourcesError, match=message):
        load_registry(registry_file(tmp_path, SOUND.replace(right, wrong, 1)))


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        SourcesError, match=r"sources\.yml does not exist; describe your extracts there, or run `make run`"
    ):
        load_registry(tmp_path / "sources.yml")
