"""Promises of maps as data: what an entry says is what lands, to the last digit, and what is left out is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installation import rows, settings_of

from orchestration.extract import landing
from orchestration.extract.manifest import Amounts, Batch
from orchestration.extract.registry import load_registry
from orchestration.settings import Settings

SOURCES = """
start_date: 2025-01-01
sources:
  shop:
    family: FAMILY
    timezone: Asia/Shanghai
    folder: exports
    tables:
"""
PAYMENT = """
      payment:
        files: "ledger_{delivery_date}.csv"
        format: csv
        delivered: daily
        columns: {payment_id: nr, customer_ref: who, received_date: day, amount: AMOUNT, currency: CURRENCY}
"""


def land(settings: Settings, family: str, tables: str, name: str, text: str) -> list[Batch]:
    """Land one file; raises where it is held."""
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(SOURCES.replace("FAMILY", family) + tables, encoding="utf-8")
    file = settings.landing / "exports" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    feeds = load_registry(settings.sources).feeds
    candidates = landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max))
    return landing.commit(settings, candidates, decided_until=None)


def landed(settings: Settings, batch: Batch, columns: str) -> list[tuple[Any, ...]]:
    if batch.raw_file is None:
        return []
    found = rows(f"select {columns} from read_parquet(?) order by source_line", str(settings.raw / batch.raw_file))
    return [tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row) for row in found]


def payments(settings: Settings, amount: str, lines: list[str], currency: str = "{constant: CNY}") -> Batch:
    tables = PAYMENT.replace("AMOUNT", amount).replace("CURRENCY", currency)
    text = "\n".join(["nr,who,day,a,b,c,code", *lines, ""])
    (batch,) = land(settings, "finance", tables, "ledger_20250101.csv", text)
    return batch


def test_a_formula_is_calculated_exactly_and_an_empty_operand_counts_as_nothing_where_told(settings: Settings) -> None:
    batch = payments(
        settings,
        '{compute: "{a} * {b} - {c?}", sign: negate}',
        ["1,A,2025-01-01,0.10,3,,CNY", "2,A,2025-01-01,19.99,3,0.07,CNY", "3,A,2025-01-01,,3,1,CNY",
         "4,A,2025-01-01,x,3,1,CNY"],
    )  # fmt: skip
    assert landed(settings, batch, "payment_id, amount") == [("1", Decimal("-0.3")), ("2", Decimal("-59.9"))]
    assert (batch.records, batch.accepted, batch.quarantined) == (4, 2, 2)
    file = settings.quarantine / batch.family / batch.entity / f"{batch.batch_id}.parquet"
    assert rows("select source_line, rule, column_name, raw_text from read_parquet(?)", str(file)) == [
        (3, "required", "amount", None), (4, "type", "amount", "x | 3 | 1")
    ]  # fmt: skip


NUMBERS = st.decimals(min_value=-99999, max_value=99999, places=6).map(str) | st.sampled_from(["", "x", " 7 ", "1e3"])


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6))
def test_whatever_the_operands_a_formula_lands_what_python_calculates(operands: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as folder:
        settings = settings_of(Path(folder) / "home")
        lines = [f"{nr},A,2025-01-01,{a},{b},{c},CNY" for nr, (a, b, c) in enumerate(operands)]
        batch = payments(settings, '{compute: "{a} * ({b} + 0.5) - {c?}"}', lines)
        expected = []
        for nr, (a, b, c) in enumerate(operands):
            if a in ("", "x") or b in ("", "x") or c == "x":
                continue
            value = Decimal(a.strip()) * (Decimal(b.strip()) + Decimal("0.5")) - Decimal(c.strip() or 0)
            expected.append((str(nr), value.quantize(Decimal("0.0001"), ROUND_HALF_UP)))
        assert landed(settings, batch, "payment_id, amount") == expected


def test_minor_units_are_those_of_the_currency_of_the_row(settings: Settings) -> None:
    lines = ["1,A,2025-01-01,1999,,,eur", "2,A,2025-01-01,1999,,,JPY", "3,A,2025-01-01,1999,,,KWD"]
    batch = payments(settings, "{column: a, minor_units: code}", lines, currency="code")
    assert landed(settings, batch, "amount, currency") == [
        (Decimal("19.99"), "EUR"), (Decimal(1999), "JPY"), (Decimal("1.999"), "KWD")
    ]  # fmt: skip
    assert [(part.currency, part.delivered) for part in batch.amounts] == [
        ("EUR", Decimal("19.99")), ("JPY", Decimal(1999)), ("KWD", Decimal("1.999"))
    ]  # fmt: skip


def test_an_amount_without_the_currency_whose_units_it_counts_is_set_aside(settings: Settings) -> None:
    batch = payments(settings, "{column: a, minor_units: code}", ["1,A,2025-01-01,5,,,", "2,A,2025-01-01,5,,,EUR"])
    assert (batch.accepted, batch.quarantined) == (1, 1)


def test_what_a_filter_leaves_out_is_counted_with_its_money_and_never_judged(settings: Settings) -> None:
    tables = PAYMENT.replace("AMOUNT", "a").replace("CURRENCY", "{constant: CNY}")
    tables += "        only: {b: [posted, Paid]}\n        without: {c: [true, '']}\n"
    lines = ["1,A,2025-01-01,5,Posted,no", "2,A,2025-01-01,7,draft,no", "3,A,2025-01-01,11, paid ,TRUE"]
    lines += ["4,A,someday,13,,no", "5,A,2025-01-01,17,paid,", "6,,2025-01-01,19,paid,no"]
    text = "\n".join(["nr,who,day,a,b,c", *lines, ""])
    (batch,) = land(settings, "finance", tables, "ledger_20250101.csv", text)
    assert landed(settings, batch, "payment_id") == [("1",)]
    assert (batch.records, batch.accepted, batch.quarantined, batch.filtered) == (6, 1, 1, 4)
    assert batch.amounts == (
        Amounts("CNY", Decimal(72), Decimal(5), Decimal(), quarantined=Decimal(19), filtered=Decimal(48)),
    )
    assert batch.unknown_columns == ()


TWO_FEEDS = """
      invoice:
        files: "moves_{delivery_date}.csv"
        format: csv
        delivered: daily
        only: {kind: out_invoice}
        columns: {invoice_id: nr, customer_ref: who, issued_date: day, total_amount: total, currency: {constant: EUR},
          status: {constant: open}}
      credit_note:
        files: "moves_{delivery_date}.csv"
        format: csv
        delivered: daily
        only: {kind: out_refund}
        columns: {note_id: nr, customer_ref: who, issued_date: day, amount: {column: total, sign: negate},
          currency: {constant: EUR}}
"""


def test_two_tables_may_be_read_from_one_file_each_its_own_records(settings: Settings) -> None:
    text = "nr,who,day,total,kind\n1,A,2025-01-01,5,out_invoice\n2,A,2025-01-01,3,out_refund\n3,A,2025-01-01,9,entry\n"
    batches = land(settings, "finance", TWO_FEEDS, "moves_20250101.csv", text)
    found = {batch.entity: (batch.accepted, batch.filtered) for batch in batches}
    assert found == {"invoice": (1, 2), "credit_note": (1, 2)}
    feeds = load_registry(settings.sources).feeds
    assert landing.pending_deliveries(settings, feeds, date.max) == []
    assert landing.unexpected_files(settings, feeds[:1], feeds) == []


ORDER = """
      order:
        files: "orders_{delivery_date}.csv"
        format: csv
        delivered: daily
        columns:
          order_id: {join: [year, nr], with: "-"}
          customer_ref: {first_of: [account, guest]}
          ordered_at: ORDERED
          business_date: BUSINESS
          status: {constant: confirmed}
          entity_id: {constant: X}
          currency: {constant: CNY}
"""


def orders(settings: Settings, entry: str, times: list[str]) -> Batch:
    dated = entry.replace("column:", "local_date_of:")
    lines = [f"2025,{nr},,G{nr},{at}" for nr, at in enumerate(times)]
    (batch,) = land(
        settings,
        "sales",
        ORDER.replace("ORDERED", entry).replace("BUSINESS", dated),
        "orders_20250101.csv",
        "\n".join(["year,nr,account,guest,at", *lines, ""]),
    )
    return batch


AT = datetime(2024, 12, 31, 17, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "times"),
    [
        ("{column: at, timezone: local}", ["2025-01-01 01:30:00", "2025-01-01T01:30:00"]),
        ("{column: at, timezone: local}", ["2024-12-31T17:30:00Z", "2024-12-31 11:30:00.000-06:00"]),
        ("{column: at, timezone: UTC}", ["2024-12-31 17:30:00", "2024-12-31T17:30:00+00", "2025-01-01T01:30:00+0800"]),
        ("{column: at, timezone: America/Chicago}", ["2024-12-31 11:30:00"]),
        ("{column: at, formats: [epoch_ms], timezone: UTC}", ["1735666200000"]),
        ("{column: at, formats: [epoch_s], timezone: UTC}", ["1735666200"]),
        ("{column: at, formats: ['%d.%m.%Y %H:%M'], timezone: local}", ["01.01.2025 01:30"]),
        ("{column: at, formats: ['%m/%d/%Y %I:%M %p'], timezone: UTC}", ["12/31/2024 05:30 PM"]),
    ],
)
def test_a_time_is_the_same_instant_and_business_day_however_it_is_written(
    settings: Settings, entry: str, times: list[str]
) -> None:
    batch = orders(settings, entry, times)
    found = landed(settings, batch, "ordered_at, business_date")
    assert found == [(AT, date(2025, 1, 1))] * len(times)


def test_the_first_that_is_not_empty_counts_and_a_key_is_joined_of_whole_parts(settings: Settings) -> None:
    tables = ORDER.replace("ORDERED", "at").replace("BUSINESS", "{local_date_of: at}")
    text = "year,nr,account,guest,at\n2025,7,A,G,2025-01-01\n2025,,A,G,2025-01-01\n2025,8, ,G,2025-01-01\n"
    (batch,) = land(settings, "sales", tables, "orders_20250101.csv", text)
    assert landed(settings, batch, "order_id, customer_ref") == [("2025-7", "A"), ("2025-8", "G")]
    assert batch.quarantined == 1


def test_a_column_of_a_shipped_map_can_be_told_otherwise_or_not_be_delivered(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    feed = '{files: "c_{delivery_date}.csv", format: csv, delivered: daily, columns: {tax_id: null, country: land}}'
    text = SOURCES.replace("FAMILY", "sales").replace("    tables:", "    map: demo_sales\n    tables:")
    settings.sources.write_text(f"{text}      customer: {feed}\n", encoding="utf-8")
    (found,) = load_registry(settings.sources).feeds
    assert "tax_id" not in found.columns
    assert (found.columns["country"].column, found.columns["customer_ref"].column) == ("land", "cust_code")
