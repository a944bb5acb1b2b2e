"""Promises of the sender's totals: a map that reads another sign, unit, currency or day than was meant is held."""

from __future__ import annotations

import pytest
from test_column_map import AT, ORDER, PAYMENT, land

from orchestration.extract.totals import SUFFIX
from orchestration.settings import Settings

TOTALS = "business_date,currency,records,amount\n"
SAID = TOTALS + "2025-01-01,EUR,2,12.50\n2025-01-01,JPY,1,300\n2025-01-02,EUR,1,-1\n"
LINES = ["1,A,2025-01-01,5,EUR", "2,A,2025-01-01,7.5,EUR", "3,A,2025-01-01,300,JPY", "4,A,2025-01-02,-1,EUR"]


def say(settings: Settings, name: str, text: str) -> None:
    file = settings.landing / "exports" / (name + SUFFIX)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def payments(settings: Settings, amount: str = "a", currency: str = "code", lines: list[str] | None = None) -> int:
    tables = PAYMENT.replace("AMOUNT", amount).replace("CURRENCY", currency) + "        has_totals: true\n"
    text = "\n".join(["nr,who,day,a,code", *(lines or LINES), ""])
    (batch,) = land(settings, "finance", tables, "ledger_20250101.csv", text)
    return batch.accepted


def test_a_file_that_adds_up_is_taken_and_its_totals_are_no_unexpected_file(settings: Settings) -> None:
    say(settings, "ledger_20250101.csv", SAID)
    assert payments(settings) == 4
    from orchestration.extract import landing
    from orchestration.extract.registry import load_registry

    feeds = load_registry(settings.sources).feeds
    assert landing.unexpected_files(settings, feeds, feeds) == []


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"amount": "{column: a, sign: negate}"}, "look at sign in the map"),
        ({"amount": "{column: a, minor_units: {constant: EUR}}"}, "look at minor_units in the map"),
        ({"currency": "{constant: USD}"}, "look at currency in the map"),
        ({"lines": [LINES[0], LINES[1], LINES[2], "4,A,2025-01-01,-1,EUR"]}, "look at timezone in the map"),
        (
            {"lines": [*LINES, "5,A,2025-01-01,1,EUR"]},
            "2025-01-01 EUR: 3 records of 13.5000, the sender says 2",
        ),
        ({"lines": LINES[:3]}, "2025-01-02 EUR: nothing, the sender says 1 records of -1"),
    ],
)
def test_a_mistake_of_the_map_or_the_file_is_held_with_what_explains_it(
    settings: Settings, mistake: dict[str, object], told: str
) -> None:
    say(settings, "ledger_20250101.csv", SAID)
    with pytest.raises(ValueError, match=told):
        payments(settings, **mistake)  # type: ignore[arg-type]


def test_a_day_read_on_another_clock_is_held(settings: Settings) -> None:
    say(settings, "orders_20250101.csv", TOTALS + "2025-01-01,CNY,1,\n")
    local = ORDER.replace("ORDERED", "{column: at, timezone: UTC}")
    text = f"year,nr,account,guest,at\n2025,1,,G,{AT:%Y-%m-%d %H:%M:%S}\n"
    with pytest.raises(ValueError, match="look at timezone in the map"):
        land(settings, "sales", local.replace("BUSINESS", "{local_date_of: at}"), "orders_20250101.csv", text)
    right = local.replace("BUSINESS", "{local_date_of: at, timezone: UTC}")
    (batch,) = land(settings, "sales", right, "orders_20250101.csv", text)
    assert batch.accepted == 1


def test_records_that_cannot_be_read_may_be_missing_from_the_days_and_no_others(settings: Settings) -> None:
    say(settings, "ledger_20250101.csv", SAID)
    unreadable = [LINES[0], LINES[1], "3,A,someday,300,JPY", LINES[3]]
    assert payments(settings, lines=unreadable) == 3
    with pytest.raises(ValueError, match="does not add up"):
        payments(settings, lines=[LINES[0], "3,A,someday,300,JPY", LINES[3]])


def test_an_amount_that_cannot_be_read_does_not_hide_a_missing_record(settings: Settings) -> None:
    say(settings, "ledger_20250101.csv", SAID)
    assert payments(settings, lines=[LINES[0], "2,A,2025-01-01,seven,EUR", LINES[2], LINES[3]]) == 3
    with pytest.raises(ValueError, match="does not add up"):
        payments(settings, lines=["2,A,2025-01-01,seven,EUR", LINES[2], LINES[3]])


def test_totals_that_must_be_there_are_missed(settings: Settings) -> None:
    with pytest.raises(ValueError, match=r"ledger_20250101\.csv\.totals\.csv is not there"):
        payments(settings)


@pytest.mark.parametrize("line", ["2025-01-01,EUR,two,1", "someday,EUR,2,1", "2025-01-01,EUR,2", "a\x00,,,"])
def test_totals_that_say_nothing_are_told_with_their_line(settings: Settings, line: str) -> None:
    say(settings, "ledger_20250101.csv", SAID + line + "\n")
    with pytest.raises(ValueError, match=r"ledger_20250101\.csv\.totals\.csv (line 5|cannot be read)"):
        payments(settings)
