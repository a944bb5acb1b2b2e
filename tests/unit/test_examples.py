"""Promises of the real data sets: their extracts carry every record once, on its day; their policies are whole."""

from __future__ import annotations

import csv
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
import yaml

from examples.deliver import write_example
from examples.wheels import FOLDER, PACKAGES, ExamplesError
from orchestration.extract.registry import Registry, load_registry
from orchestration.init import write_policy
from orchestration.settings import Settings

NAMES = tuple(PACKAGES)


class Policy(NamedTuple):
    folder: Path
    registry: Registry


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
    tables = {
        "campaigns": "(1, 7), (1, 8), (1, 9), (2, 7), (2, 8)) as told(campaign_id, household_id)",
        "campaign_descriptions": "(1, 'Type A', timestamp '2017-12-01', timestamp '2018-01-07'), "
        "(2, 'Type C', timestamp '2017-12-26', timestamp '2018-01-15')) "
        "as campaign(campaign_id, campaign_type, start_date, end_date)",
        "coupon_redemptions": "(7, 901, 1, timestamp '2017-12-20'), (7, 902, 1, timestamp '2017-12-26'), "
        "(8, 901, 1, timestamp '2017-12-25'), (8, 903, 2, timestamp '2017-12-26')) "
        "as redeemed(household_id, coupon_upc, campaign_id, redemption_date)",
    }
    for name, rows_of in tables.items():
        duckdb.sql(f"copy (select * from (values {rows_of}) to '{folder / name}.parquet' (format parquet)")
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
    touches = [(touch[0], touch[5], touch[-1][-8:]) for touch in sent(tmp_path, "campaigns/touch_*.parquet")]
    assert touches == [
        ("1-7", True, "20171224"),  # redeemed before the first file: told once
        ("1-8", False, "20171224"),
        ("1-8", True, "20171225"),
        ("1-9", False, "20171224"),
        ("2-7", False, "20171226"),
        ("2-8", True, "20171226"),  # redeemed on the first day of the campaign
    ]


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


@pytest.fixture(scope="module", params=NAMES)
def policy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The policy an example is graded by, as it is written into its home."""
    settings = Settings(home=tmp_path_factory.mktemp(request.param))
    shutil.copyfile(FOLDER / request.param / "sources.yml", settings.sources)
    write_policy(settings, yaml.safe_load((FOLDER / request.param / "policy.yml").read_text(encoding="utf-8")))
    return Policy(settings.own_policy, load_registry(settings.sources))


def test_a_policy_is_in_force_on_the_graded_days_and_speaks_the_extracts_currency(policy: Policy) -> None:
    registry = policy.registry
    [told] = rows(policy.folder / "policy_versions.csv")
    assert {row["policy_version"] for file in policy.folder.glob("*.csv") for row in rows(file)} == {
        told["policy_version"]
    }
    assert date.fromisoformat(told["effective_from"]) <= registry.start_date
    assert not told["effective_to"]
    assert datetime.fromisoformat(told["approved_at"]) < registry.end_of_day(registry.start_date - timedelta(days=1))
    currencies = {feed.columns["currency"].constant for feed in registry.feeds if "currency" in feed.columns}
    assert currencies == {told["reporting_currency"]}


def test_weights_sum_to_one_and_only_what_is_delivered_counts(policy: Policy) -> None:
    delivers_cost = any("cost_amount" in feed.columns for feed in policy.registry.feeds)
    weights = [row for row in rows(policy.folder / "policy_weights.csv") if row["target"] == "tier"]
    assert sum(Decimal(row["weight"]) for row in weights) == 1
    judged = {"rfm", "value_potential", "churn"}
    assert {row["factor"] for row in weights} == (judged | {"abc"} if delivers_cost else judged)
    # What else is weighed counts what is delivered, too; but a key account has to pass every test that is stated.
    sums: dict[str, Decimal] = {}
    for row in rows(policy.folder / "policy_weights.csv"):
        sums[row["target"]] = sums.get(row["target"], Decimal()) + Decimal(row["weight"])
    assert set(sums.values()) == {1}
    factors = {(row["target"], row["factor"]): row["weight"] for row in rows(policy.folder / "policy_weights.csv")}
    assert factors["growth_potential", "expansion"] == "1.0000"
    assert ("activity_level", "breadth_level") in factors or factors["activity_level", "frequency_level"] == "1.0000"
    assert factors["key_account", "strategic"] == "0.2000"
    [value] = (row for row in rows(policy.folder / "policy_lenses.csv") if row["lens"] == "value")
    assert value["indicator"] == ("margin_amount_365d" if delivers_cost else "net_amount_365d")
