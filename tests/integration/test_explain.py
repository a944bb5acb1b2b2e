"""Promises of explanations: published contributions are the score, and a command says them aloud in two languages."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import duckdb
from installation import Published, copy_of, rows, settings_of, tiering

from orchestration import dbt


def mart(published: Published, name: str) -> str:
    return f"read_parquet('{published.release / name}.parquet')"


def a_customer_of_several_systems(published: Published) -> tuple[str, str]:
    """A customer's id and the code finance knows it under."""
    found = rows(
        f"select customer_id, source_id from {mart(published, 'customer_identity')} "
        "where family = 'finance' and account_count > 2 order by customer_id limit 1"
    )
    return found[0][0], found[0][1]


def test_contributions_and_base_are_the_score_of_every_published_customer(published_home: Published) -> None:
    differing = rows(
        f"select customer_id from {mart(published_home, 'customer_tiers')} as tiers inner join ("
        f"select customer_id, sum(contribution) as total from {mart(published_home, 'tier_explanations')} "
        "group by customer_id) using (customer_id) where total is distinct from tier_score"
    )
    counts = rows(
        f"select (select count(*) from {mart(published_home, 'customer_tiers')}), "
        f"(select count(distinct customer_id) from {mart(published_home, 'tier_explanations')})"
    )
    assert differing == []
    assert counts[0][0] == counts[0][1] > 0


def test_a_contribution_that_is_off_by_the_last_digit_is_caught(published_home: Published, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))

    def failures() -> int:
        promise = ["--select", "assert_contributions_sum_to_the_tier_score"]
        (result,) = dbt.build(settings, promise, command="test")
        return result.failures

    assert failures() == 0
    with duckdb.connect(str(settings.warehouse)) as build:
        build.execute(
            "update intermediate.int_factors__contributed set contribution = contribution + 0.0001 "
            "where customer_number = 1 and lens_number = "
            "(select lens_number from intermediate.int_lenses__numbered where lens = 'rfm')"
        )
    assert failures() == 1


def test_explain_names_tier_factors_and_what_the_next_tier_takes(published_home: Published) -> None:
    customer, code = a_customer_of_several_systems(published_home)
    said = json.loads(tiering(published_home.home, "explain", code, "--json").stdout)
    assert said["customer"]["customer_id"] == customer
    assert {row["source_id"] for row in said["accounts"]} >= {code}
    factors = {row["factor"] for row in said["factors"]}
    assert factors == {"base", "rfm", "abc", "collection", "engagement", "value_potential", "churn"}
    assert {row["lens"] for row in said["other_bands"]} >= {
        "value",
        "potential",
        "lifecycle",
        "rfm_class",
        "value_class",
        "vip",
    }
    assert sum(Decimal(row["contribution"]) for row in said["factors"]) == Decimal(said["customer"]["tier_score"])
    words = "\n".join(said["words"])
    assert f"is in tier {said['customer']['tier']}" in words
    assert "ABC: " in words
    assert re.search("Judged beside the score: .*Lifecycle stage: ", words)
    assert f"(model {said['customer']['model_version']})" in words
    assert "points more would be tier" in words or "There is no higher tier" in words


def test_explain_speaks_chinese_with_the_labels_of_the_policy(published_home: Published) -> None:
    customer, _ = a_customer_of_several_systems(published_home)
    told = tiering(published_home.home, "explain", customer, "--lang", "zh")
    assert told.returncode == 0, told.stderr
    assert "ABC 分类：" in told.stdout
    assert "合计" in told.stdout
    assert " is in tier " not in told.stdout


def test_explain_says_what_a_release_of_an_earlier_day_said(published_home: Published) -> None:
    customer, _ = a_customer_of_several_systems(published_home)
    third = published_home.days[2]
    told = tiering(published_home.home, "explain", customer, "--date", str(third))
    assert f" on {third} with " in told.stdout
    unknown = tiering(published_home.home, "explain", customer, "--date", "2020-01-01")
    assert unknown.returncode == 1
    assert f"no release of 2020-01-01 in {published_home.home}/releases, expected one of: {third}" in unknown.stderr


def test_explain_of_nobody_says_what_is_expected(published_home: Published) -> None:
    told = tiering(published_home.home, "explain", "nobody")
    assert told.returncode == 1
    assert "no customer 'nobody' has a tier in this release" in told.stderr
    assert "customer_identity" in told.stderr


def test_movements_are_the_differences_between_published_decisions(published_home: Published) -> None:
    """Against the ledger itself: every day's file beside the one before it."""
    before, expected = None, []
    for day in published_home.days:
        decided = dict(
            rows(f"select customer_id, tier from read_parquet('{published_home.home}/decisions/{day}.parquet')")
        )
        if before is not None:
            for customer in sorted(before.keys() | decided.keys()):
                if before.get(customer) != decided.get(customer):
                    expected.append((day, customer, before.get(customer), decided.get(customer)))
        before = decided
    found = rows(
        f"select movement_date, customer_id, from_tier, to_tier from {mart(published_home, 'tier_movements')} "
        f"where movement_date > date '{published_home.days[0]}' order by all"
    )
    assert sorted(found) == sorted(expected)
    assert expected, "the demo moves somebody"
