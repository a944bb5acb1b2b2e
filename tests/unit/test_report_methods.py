"""Promises of the report's section on other methods: figures under their names, rules in their units, no customer."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import date
from html import unescape

import duckdb
import pytest
from test_report import FACTS, ddl, insert, section

from ml.comparison import Agreement, Cluster, Comparison, Condition, Figure, Rule
from ml.params import load_methods_params
from orchestration.release.report import render_report

SILENT = Figure("recency_days is unknown", "no order yet", "尚无订单", "flag", 0, None, "has ordered", "已有订单")
FIGURES = (
    Figure("recency_days", "days since the last order", "距上次下单天数", "days", 4, 700.0, "", ""),
    Figure("net_amount_365d", "net sales", "净销售额", "money", 0, None, "", ""),
    Figure("discount_rate_365d", "discount <rate>", "折扣率", "rate", 0, None, "", ""),
    SILENT,
)
MEMBERS = (tuple(f"secret{number}" for number in range(60)), tuple(f"secret{number}" for number in range(60, 100)))
COMPARISON = Comparison(
    as_of_date=date(2025, 6, 2),
    known_at=FACTS.known_at,
    customers=120,
    compared=100,
    left_out={"T0": 3},
    tiers=("T1", "T2"),
    figures=FIGURES,
    clusters=(
        # Stored documents name figures in the order of the alphabet.
        Cluster(
            2,
            False,
            "few days",
            "天数少",
            60,
            {},
            {"discount_rate_365d": 0.125, "net_amount_365d": 1234.5, "recency_days": 7.0},
            (45, 15),
            MEMBERS[0],
        ),
        Cluster(
            5,
            True,
            "low net sales",
            "净销售额低",
            40,
            {},
            {"discount_rate_365d": None, "net_amount_365d": 10.0, "recency_days": 99.0},
            (4, 36),
            MEMBERS[1],
        ),
    ),
    last_number=5,
    silhouette=0.3,
    adjusted_rand=-0.25,
    before="2025-05-01-abcdefabcdef",
    met_again=80,
    stayed=60,
    rules=(
        Rule(
            (Condition("net_amount_365d", 500.5, 20_000.0), Condition("discount_rate_365d", None, 0.125)), "T1", 48, 36
        ),
        Rule((Condition("recency_days", 90.0, None), Condition("recency_days is unknown", None, 0.0)), "T2", 30, 30),
        Rule((Condition("recency_days", None, 90.0), Condition("recency_days is unknown", 0.0, None)), "T2", 22, 11),
    ),
    tree=Agreement(0.83, 0.7, ((40, 9), (8, 43))),
    coefficients={
        "T1": {"net_amount_365d": 1.5, "recency_days": -2.25},
        "T2": {"net_amount_365d": -1.5, SILENT.name: 2.0},
    },
    regression=Agreement(0.5, 0.25, ((25, 24), (26, 25))),
    params=asdict(load_methods_params()),
)


@pytest.fixture(scope="module")
def release() -> duckdb.DuckDBPyConnection:
    empty = duckdb.connect()
    empty.execute(ddl())
    for tier, bound in (("T1", 60), ("T2", None)):
        insert(empty, "policy_rules", rule_kind="band", subject="tier", rule_name=tier, lower_bound=bound)
    return empty


def told(release: duckdb.DuckDBPyConnection, comparison: Comparison | None, reason: str | None = None) -> str:
    page = render_report(release, replace(FACTS, comparison=comparison, not_compared=reason))
    return section(page, "methods", "movements")


def text(part: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", part)))


def test_the_verdict_says_how_far_the_figures_tell_the_tier_and_where_not(release: duckdb.DuckDBPyConnection) -> None:
    said = text(told(release, COMPARISON))
    assert "The tree finds the policy's tier of 83.0 % of customers that it had not seen, by 4 figures;" in said
    assert "to call everyone T2 would find 51.0 %." in said
    assert "It disagrees most on T1, of which it takes 9 for T2." in said
    assert "Logistic regression finds 50.0 %." in said
    assert "an adjusted Rand index of −0.25 with them" in said
    assert "决策树仅凭4项指标判出83.0 %客户的等级" in said
    agreed = replace(COMPARISON, tree=Agreement(1.0, 1.0, ((49, 0), (0, 51))))
    assert "disagrees" not in told(release, agreed)


def test_the_section_has_its_date_its_extent_and_who_stayed(release: duckdb.DuckDBPyConnection) -> None:
    said = text(told(release, COMPARISON))
    assert f"2025-06-02 , version {COMPARISON.version}, 100 of 120 customers; without T0 (3 customers)" in said
    assert "75.0 % of the 80 customers that 2025-05-01-abcdefabcdef had too are in the cluster they were in." in said
    first = replace(COMPARISON, before=None, met_again=0, stayed=0)
    assert "Clusters keep these numbers from now on." in told(release, first)


def test_every_median_stands_under_the_name_of_its_figure(release: duckdb.DuckDBPyConnection) -> None:
    page = told(release, COMPARISON)
    (table,) = (part for part in re.findall(r"<table>.*?</table>", page, re.DOTALL) if "Most<br>frequent tier" in part)
    head, *rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    names = [text(cell).strip() for cell in re.findall(r"<th[^>]*>(.*?)</th>", head)][3:]
    assert names == ["days since the last order", "net sales, CNY", "discount <rate>"]
    cells = [[text(cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in rows]
    assert [row[1:] for row in cells] == [
        ["60 60.0 %", "T1 75.0 %", "7", "1,235", "12.5 %"],
        ["40 40.0 %", "T2 90.0 %", "99", "10", "–"],
    ]
    assert [row[0] for row in cells] == ["2 few days 天数少", "5 low net sales new 净销售额低"]


def test_rules_read_in_the_units_of_their_figures_in_two_languages(release: duckdb.DuckDBPyConnection) -> None:
    said = text(told(release, COMPARISON))
    assert (
        "T1 net sales over 500.5 and up to 20,000; discount <rate> up to 12.5 % "
        "净销售额大于500.5且不超过20,000；折扣率不超过12.5 % 48 75.0 %"
    ) in said
    # Who has no order counts as the highest, 700 days: said where the bounds hold it, and nowhere else.
    assert (
        "T2 days since the last order over 90 or none; has ordered 距上次下单天数大于90或无；已有订单 30 100.0 %"
        in said
    )
    assert "T2 days since the last order up to 90; no order yet 距上次下单天数不超过90；尚无订单 22 50.0 %" in said


def test_the_strongest_coefficients_come_first_with_their_signs(release: duckdb.DuckDBPyConnection) -> None:
    said = text(told(release, COMPARISON))
    assert "T1 days since the last order 距上次下单天数 −2.25 , net sales 净销售额 +1.50" in said
    assert "T2 no order yet 尚无订单 +2.00 , net sales 净销售额 −1.50" in said


def test_the_picture_parts_each_cluster_by_tier_and_the_page_names_no_customer(
    release: duckdb.DuckDBPyConnection,
) -> None:
    page = told(release, COMPARISON)
    assert 'aria-label="cluster 2: T1 75.0 %, T2 25.0 %; cluster 5: T1 10.0 %, T2 90.0 %"' in page
    assert "secret" not in page
    assert "discount <rate>" not in page, "a label is markup"


def test_where_no_comparison_can_be_made_the_page_says_why_beside_the_last_there_was(
    release: duckdb.DuckDBPyConnection,
) -> None:
    said = text(told(release, COMPARISON, "9 customers in tiers, expected 100"))
    assert (
        "No comparison could be made on 2025-06-30: 9 customers in tiers, expected 100. The newest is of 2025-06-02."
        in said
    )
    assert "The tree finds" in said
    alone = text(told(release, None, "9 customers in tiers, expected 100"))
    assert "expected 100." in alone
    assert "The newest" not in alone
    assert "No comparison yet." in told(release, None)
