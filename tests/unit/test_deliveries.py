"""What is told of a delivery that is not like those before it, judged by the real Great Expectations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from data_quality.deliveries import Arriving, Delivered, delivery_rules
from data_quality.thresholds import ThresholdError, load_thresholds
from data_quality.validate import Subject, validate
from data_quality.verdicts import Verdict

MONDAY = date(2025, 3, 3)
# Ten weeks of Mondays with about 400 records and 10,000 in money, and of Sundays with next to nothing.
RECORDS = (400, 420, 390, 380, 410, 405, 395, 400, 415, 385)
BEFORE = [
    Delivered(
        source_system="sales",
        delivery_date=MONDAY - timedelta(days=7 * week + days),
        extracted_at=datetime(2025, 1, 1, tzinfo=UTC),
        records=records // share,
        amounts={"CNY": Decimal(25 * records // share)},
    )
    for week, records in enumerate(RECORDS, start=1)
    for days, share in ((0, 1), (1, 100))
]


def arriving(records: int, amount: str | None = None, **changes: object) -> Arriving:
    """Monday's delivery, extracted as its day ends."""
    end = datetime(2025, 3, 3, 16, tzinfo=UTC)
    delivery = Arriving(
        source_system="sales",
        delivery_date=MONDAY,
        extracted_at=end,
        records=records,
        amounts={"CNY": Decimal(amount or 25 * records)},
        batch_id=f"b{records}",
        file=f"sales/order_line_{records}.parquet",
        day_ends_at=end,
        is_daily=True,
    )
    return replace(delivery, **changes)  # type: ignore[arg-type]


def judged(*items: Arriving, before: Sequence[Delivered] = BEFORE) -> dict[str, Verdict]:
    rules = delivery_rules(load_thresholds(), "sales.order_line", None, None, arriving=items, before=before)
    return {verdict.check_name: verdict for verdict in validate([Subject("lines", "select 1 as one", rules)])}


def not_passed(*items: Arriving, before: Sequence[Delivered] = BEFORE) -> dict[str, str]:
    return {name: told.status for name, told in judged(*items, before=before).items() if told.status != "pass"}


def test_a_delivery_like_those_of_its_weekday_passes_and_says_what_is_usual() -> None:
    assert not_passed(arriving(370)) == {}
    assert judged(arriving(370))["volume_share_within_reason"].observed == (
        "sales/order_line_370.parquet: 370 records, usual 400 (0.9250)"
    )


def test_a_fragment_of_a_daily_delivery_blocks_it_and_names_it_alone() -> None:
    verdict = judged(arriving(10), arriving(400, source_system="shop"))["volume_share_within_reason"]
    assert (verdict.status, verdict.blocks, verdict.batch_ids) == ("fail", True, ("b10",))
    assert verdict.observed == "sales/order_line_10.parquet: 10 records, usual 400 (0.0250)"


def test_nothing_at_all_is_a_fragment() -> None:
    assert judged(arriving(0))["volume_share_within_reason"].blocks


def test_a_sunday_is_compared_with_sundays() -> None:
    sunday = {"delivery_date": MONDAY - timedelta(days=1)}
    assert not_passed(arriving(4, **sunday)) == {}
    assert not_passed(arriving(400, "10000", **sunday))["volume_deviation_as_usual"] == "warn"


def test_far_more_records_than_usual_warn_and_block_nothing() -> None:
    verdict = judged(arriving(4000))["volume_deviation_as_usual"]
    assert (verdict.status, verdict.blocks, verdict.batch_ids) == ("warn", False, ("b4000",))


def test_amounts_in_cents_warn_although_the_records_are_as_many_as_ever() -> None:
    in_cents = judged(arriving(400, "1000000"))
    assert not_passed(arriving(400, "1000000")) == {
        "money_deviation_as_usual": "warn",
        "mean_amount_ratio_as_usual": "warn",
    }
    assert "1000000.00 CNY, usual 10000.00" in in_cents["money_deviation_as_usual"].observed
    assert "2500.00 a record, usual 25.00 (100.0000)" in in_cents["mean_amount_ratio_as_usual"].observed


def test_amounts_divided_by_a_hundred_warn_where_there_are_records_enough() -> None:
    assert not_passed(arriving(400, "100")) == {"mean_amount_ratio_as_usual": "warn"}
    assert "mean_amount_ratio_as_usual" not in not_passed(arriving(40, "10"))


def test_a_currency_that_no_delivery_before_had_warns_and_is_named() -> None:
    assert not_passed(arriving(400, amounts={"CNY": Decimal(9000), "JPY": Decimal(1000)})) == {
        "new_currencies_as_usual": "warn"
    }
    verdict = judged(arriving(400, amounts={"CNY": Decimal(9000), "JPY": Decimal(1000)}))["new_currencies_as_usual"]
    assert verdict.observed == "sales/order_line_400.parquet: JPY never before (1)"
    assert verdict.batch_ids == ("b400",)
    assert not_passed(arriving(400, amounts={"JPY": Decimal(10000)}), before=()) == {}


@pytest.mark.parametrize(("negative", "status"), [(6, "warn"), (5, "pass")])
def test_most_amounts_of_a_delivery_below_zero_warn_and_name_it_alone(negative: int, status: str) -> None:
    rules = delivery_rules(load_thresholds(), "finance.payment", None, "amount", arriving=[], before=())
    rows = f"""
        select batch_id, if(place < negative, -1, 1) as amount
        from (values ('sound', 1), ('turned', {negative})) as batches(batch_id, negative), range(10) as rows(place)"""
    (verdict,) = validate([Subject("payments", rows, [rule for rule in rules if rule.name.startswith("negative")])])
    assert (verdict.check_name, verdict.status) == ("negative_amount_share_is_as_usual", status)
    assert verdict.batch_ids == (("turned",) if status == "warn" else ())


def test_what_is_delivered_on_change_may_be_little() -> None:
    assert "volume_share_within_reason" not in not_passed(arriving(0, is_daily=False))


def test_three_mondays_say_nothing_and_the_verdict_says_so() -> None:
    verdicts = judged(arriving(1), before=BEFORE[:6])
    assert {verdict.status for verdict in verdicts.values()} == {"pass"}
    assert verdicts["volume_share_within_reason"].observed == "nothing to compare with: too few deliveries before"


def test_a_version_that_a_later_one_replaces_is_not_judged() -> None:
    first = arriving(3)
    mended = arriving(400, extracted_at=first.extracted_at + timedelta(hours=1))
    assert not_passed(first, mended) == {}
    assert not_passed(first, before=[*BEFORE, mended]) == {}


def test_deliveries_that_land_together_are_history_for_each_other() -> None:
    """As in a first load of many days: the last of them is compared with those before it."""
    together = [
        arriving(one.records, delivery_date=one.delivery_date, batch_id=str(place)) for place, one in enumerate(BEFORE)
    ]
    assert judged(*together, arriving(10), before=())["volume_share_within_reason"].batch_ids == ("b10",)


def test_an_extraction_before_the_end_of_its_day_warns() -> None:
    early = arriving(400, extracted_at=datetime(2025, 3, 3, 13, 30, tzinfo=UTC))
    verdict = judged(early)["hours_before_the_end_as_usual"]
    assert (verdict.status, verdict.blocks) == ("warn", False)
    assert "extracted 2:30:00 before the end of its day (2.50)" in verdict.observed


@pytest.mark.parametrize(("newest", "status"), [(1, "warn"), (0, "pass"), (-7, "pass"), (-8, "warn")])
def test_old_rows_under_a_new_name_and_rows_of_a_day_to_come_warn(newest: int, status: str) -> None:
    rules = delivery_rules(load_thresholds(), "sales.order", "business_date", None, arriving=[arriving(2)], before=())
    rows = f"""
        select batch_id, delivery_date, delivery_date + days as business_date
        from (values ('sound', 0), ('sound', -30), ('b2', {newest}), ('b2', -9)) as rows(batch_id, days),
            (select date '2025-03-03' as delivery_date)"""
    (verdict,) = validate([Subject("orders", rows, [rule for rule in rules if rule.name.startswith("newest")])])
    assert (verdict.status, verdict.blocks) == (status, False)
    assert verdict.batch_ids == (("b2",) if status == "warn" else ())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("delivery,*,lag_days,fatal,0,7,house,", "severity is 'fatal', expected one of error, warning"),
        ("file,*,lag_days,error,0,7,house,", "scope is 'file', expected one of history, delivery, release"),
        ("delivery,*,lag_days,error,few,7,house,", "minimum is 'few', expected a number or nothing"),
        ("delivery,*,lag_days,error,,,house,", "has no bound, expected a minimum, a maximum or both"),
        ("delivery,*,lag_days,error,0,7,guess,", "provenance is 'guess', expected one of"),
    ],
)
def test_a_threshold_that_says_nothing_sensible_is_refused_with_its_line(row: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "thresholds.csv"
    file.write_text(f"scope,subject,measure,severity,minimum,maximum,provenance,note\n{row}\n", encoding="utf-8")
    with pytest.raises(ThresholdError, match=f"line 2 of .*: {told}"):
        load_thresholds(file)


def test_a_subjects_own_threshold_stands_in_for_that_of_all(tmp_path: Path) -> None:
    file = tmp_path / "thresholds.csv"
    header = "scope,subject,measure,severity,minimum,maximum,provenance,note\n"
    rows = "delivery,*,lag_days,error,0,7,house,\ndelivery,a,lag_days,warning,0,30,house,\n"
    file.write_text(header + rows, encoding="utf-8")
    thresholds = load_thresholds(file)
    assert [row.maximum for row in thresholds.of("delivery", "a", "lag_days")] == [30]
    assert [row.maximum for row in thresholds.of("delivery", "b", "lag_days")] == [7]
