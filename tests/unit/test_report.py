"""Promises of the report page: offline, repeatable, honest about money and checks, silent about persons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ml.learn import Backtest, TrainedModel
from ml.params import load_params
from ml.train import BaseModel
from orchestration.release import charts
from orchestration.release import report_format as fmt
from orchestration.release.report import Freshness, ReportFacts, render_report
from orchestration.release.report_queries import totals

MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
DAY = date(2025, 6, 30)
NAME_OF_A_PERSON = "Wang Xiaoming"
HOSTILE = "<script>alert('Acme')</script> $x$ & Sons"
FACTS = ReportFacts(
    release_id="20250630-1",
    as_of_date=DAY,
    known_at=datetime(2025, 6, 30, 16, tzinfo=UTC),
    published_at=datetime(2025, 6, 30, 20, 5, tzinfo=UTC),
    policy_version="2025.1",
    reporting_currency="CNY",
    company="Acme & Daughters",
    deliveries=[Freshness("sales.order", DAY, True), Freshness("crm.account", date(2025, 6, 28), True)],
    tier_history=[(date(2025, 6, 29), "T1", 1), (date(2025, 6, 29), "T2", 2), (DAY, "T1", 2), (DAY, "T2", 2)],
    missing_extracts=["crm.account"],
    model=None,
    comparison=None,
    not_compared=None,
    value=None,
)
TIERS = [("T1", "Key account", "重点客户", 60, None), ("T2", "Core", "核心客户", None, 60)]
# id, name, kind, tier, score, net 365d, net 90d, overdue, recency, days since contact
CUSTOMERS = [
    ("c1", "Ferro <b>Ltd</b>", "company", "T1", 90, "1234567.8901", "400000", "0", 10, 20),
    ("c2", NAME_OF_A_PERSON, "person", "T1", 80, "500000", "100000", "50000", 120, 30),
    ("c3", None, "company", "T2", 30, "2000.5", "0", "0", 200, 400),
    ("c4", HOSTILE, "company", "T2", 5, "0", "0", "0", None, None),
]
# customer, reason, date, counted, net
ORDERS = [
    ("c1", None, date(2025, 6, 1), True, "1000000"),
    (None, "no_customer_given", date(2025, 6, 2), True, "1234.5678"),
    (None, "no_customer_given", date(2024, 7, 1), True, "1000"),
    (None, "unknown_customer", date(2025, 1, 2), True, "0.9"),
    (None, "unknown_customer", date(2024, 6, 30), True, "777777"),
    (None, "unknown_customer", date(2025, 1, 3), False, "888888"),
]


@cache
def ddl() -> str:
    """The marts by the columns of their contracts, so that a renamed column breaks the page here."""
    loaded = [yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader) for file in sorted(MARTS.rglob("*.yml"))]
    tables = {
        model["name"]: ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])
        for content in loaded
        for model in content.get("models", [])
    }
    return "; ".join(f"create table {name} ({columns})" for name, columns in tables.items())


@pytest.fixture(scope="module")
def built() -> duckdb.DuckDBPyConnection:
    """Four customers in two tiers, orders with and without a customer, and three checks."""
    db = duckdb.connect()
    db.execute(ddl())
    for tier, en, zh, lower, upper in TIERS:
        rule = {"rule_kind": "band", "subject": "tier", "rule_name": tier, "label_en": en, "label_zh": zh}
        insert(db, "policy_rules", **rule, lower_bound=lower, upper_bound=upper, provenance="house")
    for customer, name, kind, tier, score, net, recent, overdue, recency, contact in CUSTOMERS:
        figures = {"net_amount_365d": net, "net_amount_90d": recent, "overdue_amount": overdue, "open_amount": overdue}
        known = {"as_of_date": DAY, "customer_id": customer}
        days = {"recency_days": recency, "days_since_contact": contact, "order_count_365d": 1 if recency else 0}
        more = {"customer_name": name, "kind": kind, "tier": tier, "tier_score": score, "margin_amount_365d": "100"}
        insert(db, "customer_360", **known, **figures, **days, **more)
        insert(db, "customer_bands", **known, lens="abc", band="A" if recency else "none", is_defaulted=not recency)
        insert(db, "customer_months", customer_id=customer, month_date=date(2025, 5, 1), net_amount=net)
        if recency:
            scores = {"r_score": 5, "f_score": 1, "rfm_segment": "a <new> one"}
            insert(db, "customer_rfm", **known, **scores)
    for number, (buyer, reason, day, is_counted, net) in enumerate(ORDERS):
        order = {"order_id": number, "customer_id": buyer, "unattributed_reason": reason, "order_date": day}
        insert(db, "customer_orders", **order, is_counted=is_counted, net_amount=net)
    for name, status in (("a_passes", "pass"), ("b_warns", "warn"), ("c_fails", "fail")):
        insert(db, "audit_checks", check_name=name, subject="sales.order", status=status, owner="dbt")
    return db


@pytest.fixture(scope="module")
def page(built: duckdb.DuckDBPyConnection) -> str:
    return render_report(built, FACTS)


@pytest.fixture
def release(built: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same release for one test to change; its changes are taken back."""
    built.execute("begin")
    yield built
    built.execute("rollback")


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    names = ", ".join(f"${name} as {name}" for name in values)
    connection.execute(f"insert into {table} by name select {names}", values)


def section(page: str, start: str, end: str) -> str:
    return page[page.index(f'id="{start}"') : page.index(f'id="{end}"')]


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    assert page.count("<svg") == 6
    assert not re.search(r"https?://|\bsrc\s*=|@import|<link|<script|<iframe|<image", page)
    targets = re.findall(r"(?:href=\"|url\()([^\")]*)", page)
    assert targets
    assert {target for target in targets if not target.startswith("#")} == {
        "quality.html",
        "model_card.html",
    }  # beside it


def test_the_same_facts_give_the_same_bytes(page: str, release: duckdb.DuckDBPyConnection) -> None:
    release.execute("set threads = 4")
    release.execute("create table turned as select * from customer_360 order by customer_id desc")
    release.execute("delete from customer_360")
    release.execute("insert into customer_360 select * from turned")
    assert render_report(release, FACTS) == page


def test_unattributed_money_is_stated_to_the_last_digit_before_any_tier(page: str) -> None:
    box = section(page, "unattributed", "tiers")
    assert "2,235.4678 CNY has no customer: 0.2 % of order value" in box
    assert "no customer given: 2 orders" in box
    assert "unknown customer: 1 order," in box
    assert "777" not in box, "an order before the window was counted"
    assert "888" not in box, "an order in a state that does not count was counted"


def test_the_headline_names_customers_and_sales_with_all_digits_at_hand(page: str) -> None:
    headline = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert headline is not None
    assert re.sub(r"<[^>]*>", "", headline[1]) == (
        "Acme &amp; Daughters: 4 customers, 1.74 M CNY net sales in the last 365 days"
    )
    assert 'title="1,736,568.3901 CNY"' in headline[1]


def test_the_name_of_a_person_is_never_shown_even_if_a_mart_holds_it(page: str) -> None:
    assert NAME_OF_A_PERSON not in page
    assert "person, name in the vault" in section(page, "who", "concentration")


def test_markup_in_a_name_is_text(page: str) -> None:
    assert "Ferro &lt;b&gt;Ltd&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(" in page
    assert "<b>Ltd" not in page
    assert "a <new> one" not in page, "a label of the policy is markup in a picture"


def test_a_customer_without_name_is_shown_by_its_id(page: str) -> None:
    assert ">None<" not in page
    assert '<td><code class="id">c3</code>' in section(page, "who", "concentration")


def test_failing_checks_come_first_and_are_counted_on_top(page: str) -> None:
    assert "3 checks: 1 pass, 1 warn, 1 fail" in section(page, "unattributed", "tiers")
    shown = section(page, "checks", "rules")
    assert shown.index("c_fails") < shown.index("b_warns")
    assert "a_passes" not in shown


def test_a_residual_that_is_not_zero_is_said_on_top(release: duckdb.DuckDBPyConnection) -> None:
    for measure, residual, status in (("records", 0, "pass"), ("net_amount", "0.0001", "fail")):
        total = {"expected": 5, "observed": 5, "residual": residual, "status": status}
        insert(release, "audit_reconciliation", subject="files", measure=measure, **total)
    page = render_report(release, FACTS)
    assert "1 of 2 reconciliation residuals not zero" in section(page, "unattributed", "tiers")
    assert "0.0001" in section(page, "checks", "rules")


def test_late_feeds_are_marked_and_missing_extracts_named(page: str) -> None:
    assert "late: 2 days behind" in page
    assert page.count("late: ") == 1
    assert "Missing extracts: crm.account" in page


def test_the_watch_list_says_why(page: str) -> None:
    watched = section(page, "watch", "history")
    assert "no order for 120 days" in watched
    assert "overdue 50.0 % of 90-day sales" in watched
    assert "never contacted" in watched
    assert "Ferro" not in watched, "a customer in good order is watched"


def test_a_tier_without_customers_is_shown_with_zero(release: duckdb.DuckDBPyConnection) -> None:
    insert(release, "policy_rules", rule_kind="band", subject="tier", rule_name="T3", lower_bound=-10, upper_bound=0)
    tiers = section(render_report(release, FACTS), "tiers", "who")
    assert re.search(r">T3</span>.*?<td class=\"r\">0</td><td class=\"r\">0.0 %</td>", tiers, re.DOTALL)


def test_one_day_of_history_draws_no_history(page: str, release: duckdb.DuckDBPyConnection) -> None:
    one_day = replace(FACTS, tier_history=[row for row in FACTS.tier_history if row[0] == DAY])
    assert 'id="history"' in page
    assert 'id="history"' not in render_report(release, one_day)


def test_an_empty_release_says_none_and_draws_nothing() -> None:
    empty = duckdb.connect()
    empty.execute(ddl())
    page = render_report(empty, replace(FACTS, deliveries=[], tier_history=[], missing_extracts=[]))
    assert "0 customers, <span" in page
    assert "None: every counted order has a customer" in page
    assert "Quarantined rows: none" in page
    assert "Customers to watch: none." in page
    assert "<svg" not in page
    assert not re.search(r"\b(nan|None,|inf)\b|Undefined", page)


def test_charts_keep_text_as_text() -> None:
    picture = charts.segments([("冠军 $5 & $6", 3, 2.0, "2")])
    assert "冠军 $5 &amp; $6</text>" in picture


@pytest.mark.parametrize(
    ("value", "shown", "whole"),
    [
        ("75133771.4422", "75.13 M", "75,133,771.4422"),
        ("999999.5", "1,000,000", "999,999.50"),
        ("-3680.18", "−3,680", "−3,680.18"),
        ("-0.0002", "0", "−0.0002"),
    ],
)
def test_amounts_are_short_to_read_and_whole_to_check(value: str, shown: str, whole: str) -> None:
    assert (fmt.short(Decimal(value)), fmt.exact(Decimal(value))) == (shown, whole)


def test_a_trend_has_a_direction_only_where_there_was_trade() -> None:
    steady = Decimal("0.05")
    assert fmt.trend(Decimal(90), Decimal(365), 90, 365, steady) == ("flat", "► +0.0 %")
    assert fmt.trend(Decimal(45), Decimal(365), 90, 365, steady) == ("down", "▼ −50.0 %")
    assert fmt.trend(Decimal(45), Decimal(0), 90, 365, steady) == ("unknown", "–")


def test_tier_colours_grow_lighter_so_that_order_survives_grey() -> None:
    light = [sum(int(colour[place : place + 2], 16) for place in (1, 3, 5)) for colour in fmt.ramp(6)]
    assert light == sorted(set(light))


def test_movers_stand_with_every_tier_they_had_and_the_day_is_counted(release: duckdb.DuckDBPyConnection) -> None:
    customer = CUSTOMERS[0][0]
    long_ago, lately = DAY - timedelta(days=40), DAY - timedelta(days=1)
    for tier, since, until in (("T3", long_ago, lately), ("T1", lately, None)):
        insert(
            release,
            "customer_tier_history",
            customer_id=customer,
            tier=tier,
            valid_from_date=since,
            valid_to_date=until,
        )
    insert(
        release,
        "tier_movements",
        customer_id=customer,
        movement_date=lately,
        direction="up",
        from_tier="T3",
        main_cause="returns",
    )
    insert(release, "tier_causes", customer_id=customer, cause="roll_off", points=-3)
    insert(release, "tier_movements", customer_id="another", movement_date=DAY, direction="down", from_tier="T1")
    insert(release, "tier_movements", customer_id="of_old", movement_date=long_ago, direction="up", from_tier="T4")
    moved = section(render_report(release, FACTS), "movements", "checks")
    assert f"T3 since {long_ago} → T1 since {lately}" in moved
    assert "up from T3" in moved
    assert all(words in moved for words in ("returns", "退货", "the passing of time", "时间推移"))
    assert '<span class="tag">down 1</span>' in moved
    assert '<span class="tag">up 0</span>' in moved
    assert "of_old" not in moved


def test_a_day_without_movements_says_so(page: str) -> None:
    assert "Movers in 30 days: none." in section(page, "movements", "checks")


def scored(release: duckdb.DuckDBPyConnection, figures: dict[str, float | None]) -> str:
    """The page when a model scored c1, c2 and c3, and was tested with these figures."""
    for customer, inactive in (("c1", "0.25"), ("c2", "0.9"), ("c3", None)):
        insert(
            release,
            "customer_scores",
            as_of_date=DAY,
            customer_id=customer,
            horizon_days=90,
            inactive_probability=inactive,
            expected_net_amount="1000" if inactive else None,
            rung="btyd" if inactive else "none",
        )
    names = ("auc", "brier", "ece", "count_bias", "value_bias", "value_gini", "value_top_share")
    bins = (
        {"predicted": 0.125, "observed": 0.25, "customers": 3.0},
        {"predicted": 0.75, "observed": 0.5, "customers": 4.0},
    )
    model = BaseModel(
        name="mbg_nbd",
        cutoff=DAY + timedelta(days=1),
        rung="rfm_cells",
        reason="49 customers with a repeat purchase, expected 50",
        customer_count=77,
        repeater_count=49,
        purchase_rate=0.1,
        mean_day_amount=10.0,
        margin_rate=None,
        btyd=None,
        log_likelihood=None,
        gamma_gamma=None,
        cells=(),
        params=replace(load_params(), horizons=(90,)),
    )
    tested = Backtest(90, date(2025, 4, 2), "rfm_cells", dict.fromkeys(names) | figures, bins)
    trained = TrainedModel(DAY, FACTS.known_at, model, (tested,))
    return section(render_report(release, replace(FACTS, model=trained)), "scores", "movements")


def test_scores_stand_with_their_model_its_rung_and_how_it_would_have_done(release: duckdb.DuckDBPyConnection) -> None:
    told = scored(release, {"auc": 0.77777, "value_bias": None})
    assert "49 customers with a repeat purchase, expected 50" in told
    assert "77 customers that had bought" in told
    assert "Fitted as of 2025-04-02" in told
    assert "0.778" in told
    assert "net sales predicted / came" not in told
    assert "predicted 12.5 %, observed 25.0 %; predicted 75.0 %, observed 50.0 %" in told
    # Of two with a score 0.75 + 0.1 are expected to buy; c2 has 0.9 x 500,000 to lose, c1 0.25 x 1,234,567.89.
    assert re.search(r"of them expected to buy</td><td class=\"r\">1</td>", told)
    assert told.index("c2") < told.index("Ferro")
    assert NAME_OF_A_PERSON not in told


def test_a_release_that_no_model_scored_says_so(page: str) -> None:
    assert "No model scored the release date." in section(page, "scores", "movements")


def test_where_no_contact_is_ever_delivered_nobody_is_watched_for_it(release: duckdb.DuckDBPyConnection) -> None:
    release.execute("update customer_360 set days_since_contact = null")
    release.execute("update customer_360 set recency_days = 1, overdue_amount = 0")
    assert "Customers to watch: none." in render_report(release, FACTS)


def test_where_no_cost_is_delivered_no_margin_is_shown(page: str, release: duckdb.DuckDBPyConnection) -> None:
    assert "no cost of what was sold is known" not in page
    release.execute("update customer_360 set margin_amount_365d = 0, open_amount = 0, overdue_amount = 0")
    insert(release, "customer_indicators", customer_id="c1", costless_amount_365d=totals(release)["net"])
    told = render_report(release, FACTS)
    card = told[told.index("毛利</span></dt>") :].partition("</div>")[0]
    assert '<dd class="big">–</dd><dd>no cost of what was sold is known</dd>' in card
    assert "no invoice is open" in told
    assert "▬ margin" not in told


def test_lenses_that_judge_nobody_are_listed_with_their_reason(release: duckdb.DuckDBPyConnection) -> None:
    assert "nobody <span" not in render_report(release, FACTS)
    insert(release, "lens_coverage", lens="collection", is_dark=True, reason="no value of it; fed by finance.invoice")
    insert(release, "lens_coverage", lens="value", is_dark=False)
    told = render_report(release, FACTS)
    assert re.search(r"1 lens judges nobody .*why", told)
    assert re.search(r"<tr><td>collection .*</td><td>no value of it; fed by finance.invoice</td></tr>", told)


def test_classes_of_rfm_are_called_by_their_labels(release: duckdb.DuckDBPyConnection) -> None:
    rule = {"rule_kind": "rfm_segment", "subject": "rfm_class", "rule_name": "general_keep"}
    insert(
        release, "policy_rules", **rule, label_en="General: to be kept", label_zh="一般保持客户", provenance="external"
    )
    band = {"lens": "rfm_class", "band": "general_keep", "is_defaulted": False}
    insert(release, "customer_bands", as_of_date=DAY, customer_id="c1", **band)
    assert "General: to be kept" in section(render_report(release, FACTS), "segments", "watch")
