"""Promises of the real data sets: their extracts carry every record once, on its day; their policies are whole."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from examples.deliver import write_example
from examples.wheels import FOLDER, PACKAGES, ExamplesError
from orchestration.extract.registry import load_registry
from orchestration.settings import POLICY_SEEDS

NAMES = tuple(PACKAGES)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def sent(home: Path, pattern: str) -> list[tuple[object, ...]]:
    """The records of all files that the pattern fits, with the name of their file last."""
    files = home / "landing" / pattern
    return duckdb.sql(
        f"select * exclude (filename), parse_filename(filename, true) from read_parquet('{files}', filename = true) "
        "order by all"
    ).fetchall()


def test_every_purchase_of_cdnow_is_sent_once_with_the_file_of_its_day(tmp_path: Path) -> None:
    delivered = write_example("cdnow", tmp_path)
    assert (delivered.initial, delivered.last) == (date(1998, 6, 23), date(1998, 6, 30))
    lines = sent(tmp_path, "shop/order_line_*.parquet")
    assert len(lines) == delivered.lines == 69_659
    assert len({line[0] for line in lines}) == len(lines)
    # A plain sum over the file of the package, which writes cents.
    assert sum(Decimal(str(line[4])) for line in lines) == Decimal("2500315.63")
    for _, _, day, *_, file in lines:
        assert file == f"order_line_{max(day, delivered.initial):%Y%m%d}"  # type: ignore[type-var,str-format]
    assert len(sent(tmp_path, "shop/customer_*.parquet")) == 23_570
    days = sorted(path.stem[-8:] for path in (tmp_path / "landing" / "shop").glob("order_1998*.parquet"))
    assert days == [f"199806{day}" for day in range(23, 31)]
    # Writing it again says the same; a home of another company is left alone.
    write_example("cdnow", tmp_path)
    assert sent(tmp_path, "shop/order_line_*.parquet") == lines
    (tmp_path / "sources.yml").write_text("company: ours\n", encoding="utf-8")
    with pytest.raises(ExamplesError, match=r"sources\.yml is not that of cdnow"):
        write_example("cdnow", tmp_path)


def test_the_complete_journey_is_sent_in_the_shops_time_with_its_own_discounts_only(tmp_path: Path) -> None:
    """Three lines of two baskets; the second is bought at 23:30 in New York, where the file says the next day."""
    folder = tmp_path / "wheels" / "complete_journey"
    folder.mkdir(parents=True)
    duckdb.sql(
        f"""copy (
            select * from (values
                (7, 330, 11, 501, 2, 3.55, 1.78, 0.55, 0.45, 52, timestamp '2017-12-20 15:32:09'),
                (7, 330, 11, 502, 0, 0.00, 0.00, 2.00, 0.00, 52, timestamp '2017-12-20 15:32:09'),
                (8, 412, 12, 501, 1, 2.30, 0.00, 0.00, 0.00, 52, timestamp '2017-12-27 04:30:00')
            ) as lines(household_id, store_id, basket_id, product_id, quantity, sales_value, retail_disc, coupon_disc,
                coupon_match_disc, week, transaction_timestamp)
        ) to '{folder / "transactions.parquet"}' (format parquet)"""
    )
    duckdb.sql(
        "copy (select 501 as product_id, 69 as manufacturer_id, 'PASTRY' as department, 'Private' as brand, "
        "'BREAD' as product_category, 'BREAD:ITALIAN' as product_type, null as package_size) "
        f"to '{folder / 'products.parquet'}' (format parquet)"
    )
    delivered = write_example("complete_journey", tmp_path)
    assert (delivered.initial, delivered.last) == (date(2017, 12, 24), date(2017, 12, 26))
    money = [Decimal("3.55"), Decimal("2.23"), Decimal("5.78"), Decimal("2.30"), Decimal("0"), Decimal("2.30")]
    assert [line[:2] + line[3:] for line in sent(tmp_path, "tills/order_line_*.parquet") if line[3]] == [
        ("11-501", 11, 2, *money[:3], "order_line_20171224"),
        ("12-501", 12, 1, *money[3:], "order_line_20171226"),
    ]
    orders = sent(tmp_path, "tills/order_2017*.parquet")
    assert [(order[0], str(order[3]), order[4]) for order in orders] == [
        (11, "2017-12-20 10:32:09", "order_20171224"),
        (12, "2017-12-26 23:30:00", "order_20171226"),
    ]
    # A table sent on change has no file for a day without a change, a daily one has.
    assert len(list((tmp_path / "landing" / "loyalty").iterdir())) == 2
    assert (tmp_path / "landing" / "tills" / "order_20171225.parquet").exists()


def test_ta_feng_is_sent_with_its_cost_and_the_zeros_before_its_ids(tmp_path: Path) -> None:
    folder = tmp_path / "wheels" / "ta_feng"
    folder.mkdir(parents=True)
    header = "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PIN_CODE,PRODUCT_SUBCLASS,PRODUCT_ID,AMOUNT,ASSET,SALES_PRICE"
    text = [header, '11/1/2000,01104905,45-49,115,110411,0078895770025,2,24,30', *[
        "2/28/2001,00000002,,Others,100205,4710199010372,1,48,46"] * 2]  # fmt: skip
    (folder / "ta_feng_all_months_merged.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    delivered = write_example("ta_feng", tmp_path)
    assert (delivered.initial, delivered.last, delivered.lines) == (date(2001, 2, 21), date(2001, 2, 28), 3)
    lines = sent(tmp_path, "tills/order_line_*.parquet")
    assert [line[:4] for line in lines] == [
        ("20001101-01104905", "20001101-01104905-1", "0078895770025", 2),
        ("20010228-00000002", "20010228-00000002-1", "4710199010372", 1),
        ("20010228-00000002", "20010228-00000002-2", "4710199010372", 1),
    ]
    assert [(line[4], line[5]) for line in lines][:2] == [(Decimal(30), Decimal(24)), (Decimal(46), Decimal(48))]
    assert len(sent(tmp_path, "tills/order_2*.parquet")) == 2


@pytest.mark.parametrize("name", NAMES)
def test_extracts_are_described_so_that_the_registry_understands_them(name: str) -> None:
    registry = load_registry(FOLDER / name / "sources.yml")
    assert {feed.table.name for feed in registry.feeds} >= {"sales.customer", "sales.order", "sales.order_line"}
    assert all(feed.format == "parquet" for feed in registry.feeds)


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_is_in_force_on_the_graded_days_and_speaks_the_extracts_currency(name: str) -> None:
    registry = load_registry(FOLDER / name / "sources.yml")
    policy = FOLDER / name / "policy"
    [told] = rows(policy / "policy_versions.csv")
    assert {row["policy_version"] for file in policy.glob("*.csv") for row in rows(file)} == {told["policy_version"]}
    assert date.fromisoformat(told["effective_from"]) <= registry.start_date
    assert not told["effective_to"]
    assert datetime.fromisoformat(told["approved_at"]) < registry.end_of_day(registry.start_date - timedelta(days=1))
    currencies = {feed.columns["currency"].constant for feed in registry.feeds if "currency" in feed.columns}
    assert currencies == {told["reporting_currency"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_has_every_file_lens_and_parameter_of_the_shipped_one(name: str) -> None:
    """What the shipped policy gains, these must gain, too: copy the rows and put this policy_version before them."""
    policy = FOLDER / name / "policy"
    assert sorted(path.name for path in policy.iterdir()) == sorted(path.name for path in POLICY_SEEDS.glob("*.csv"))
    for shipped in sorted(POLICY_SEEDS.glob("*.csv")):
        theirs, ours = rows(shipped), rows(policy / shipped.name)
        assert list(ours[0]) == list(theirs[0]), shipped.name
        for key in {"lens", "parameter", "window_name", "status"} & theirs[0].keys():
            assert {row[key] for row in ours} >= {row[key] for row in theirs}, f"{name}/{shipped.name}: {key}"


@pytest.mark.parametrize("name", NAMES)
def test_weights_sum_to_one_and_only_what_is_delivered_counts(name: str) -> None:
    registry = load_registry(FOLDER / name / "sources.yml")
    delivers_cost = any("cost_amount" in feed.columns for feed in registry.feeds)
    weights = [row for row in rows(FOLDER / name / "policy" / "policy_weights.csv") if row["target"] == "tier"]
    assert sum(Decimal(row["weight"]) for row in weights) == 1
    judged = {"rfm", "value_potential", "churn"}
    assert {row["factor"] for row in weights} == (judged | {"abc"} if delivers_cost else judged)
