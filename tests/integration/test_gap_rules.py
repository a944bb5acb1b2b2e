"""Promises of what a gap is found by: the policy's own rules, judged as the models judge; or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
from installation import Published, rows, tiering

from ml.store import read_models
from orchestration.gaps.finding import gaps_of
from orchestration.gaps.judging import Judging
from orchestration.gaps.orders import Orders
from orchestration.gaps.rules import SCORE_UNIT, UnforeseenLens, read_rules
from orchestration.release.catalogue import connect_to
from orchestration.release.gap_words import gap_sentences
from orchestration.release.phrases import LANGUAGES
from orchestration.release.report_movements import missing

RELEASE = "select as_of_date, policy_version, model_version from run.run_dates where is_release_date"


def test_every_lens_that_a_gap_can_read_is_judged_as_the_models_judge_it(published_home: Published) -> None:
    """Without an order: whether it counts for the tier or a policy may one day make it count."""
    with duckdb.connect(str(published_home.settings.warehouse), read_only=True) as build:
        day, version, _ = build.execute(RELEASE).fetchall()[0]
        rules, foreseen = read_rules(build, version), {}
        for lens in rules.lenses:
            try:
                foreseen[lens] = set(rules.asked_by(lens))
            except UnforeseenLens:
                continue
        orders = Orders(build, day, set().union(*foreseen.values()), None)
        judging, everybody = Judging(rules, orders.today, orders.texts), np.arange(len(orders.frame))
        told = build.execute(
            "select lens, customer_id, band, score, is_defaulted from scoring.customer_bands where as_of_date = ?",
            [day],
        ).fetchall()
    published = {(lens, customer): (band, score, defaulted) for lens, customer, band, score, defaulted in told}
    methods = {rules.lenses[lens]["method"] for lens in foreseen}
    assert methods == {"quantile", "share", "cut", "rank", "label", "matrix", "worst", "best", "weighted"}
    wrong = []
    for lens in foreseen:
        judged, is_segment = judging.judged(lens, everybody, {}), rules.lenses[lens]["method"] == "quantile"
        for customer, band, score in zip(orders.frame["customer_id"], judged.band, judged.score, strict=True):
            if (found := published.get((lens, customer))) is None:
                assert band == -1, "a lens that judges nobody is not shown"
            elif (band == -1) != found[2]:
                wrong.append((lens, customer, band, found))
            elif band != -1:
                name = found[0] if is_segment else rules.bands[lens][band]["band"]
                wrong += [(lens, customer)] * ((name, score) != (found[0], int(found[1] * SCORE_UNIT)))
    assert wrong == []


def test_of_a_policy_that_asks_for_what_an_order_may_change_nothing_is_told(
    published_home: Published, tmp_path: Path
) -> None:
    build_file = tmp_path / published_home.settings.warehouse.name  # by which its views call it
    shutil.copyfile(published_home.settings.warehouse, build_file)
    with duckdb.connect(str(build_file)) as build:
        build.execute(
            "update policy.policy_weights set factor = 'lifecycle' where target = 'tier' and factor = 'churn'"
        )
        day, version, model = build.execute(RELEASE).fetchall()[0]
        gaps = gaps_of(build, day, version, read_models(published_home.settings.models)[model].model)
        customers = build.execute("select count(*) from tiering.customer_tiers where as_of_date = ?", [day]).fetchall()
    assert [(len(gaps),)] == customers
    assert set(gaps["unforeseen_lens"]) == {"lifecycle"}
    assert set(gaps["one_order_reason"]) == set(gaps["usual_orders_reason"]) == {"unforeseen_lens"}
    assert "one_order_amount" not in gaps


def test_a_gap_is_told_in_both_languages_and_every_reason_has_words(published_home: Published) -> None:
    customer, amount = rows(
        f"select customer_id, one_order_amount from '{published_home.release}/tier_gaps.parquet' "
        "where one_order_amount > 0.01 and usual_order_count > 1 order by all limit 1"
    )[0]
    said = tiering(published_home.home, "explain", customer, "--lang", "zh").stdout
    assert f"净额 {amount.normalize():,f} 的订单" in said
    assert "笔通常规模" in said
    assert " of its usual orders, of " in tiering(published_home.home, "explain", customer).stdout
    for reason in ("no_usual_order", "no_usual_margin", "other_factors_hold", "unforeseen_lens"):
        gap = dict.fromkeys(("as_of_date", "one_order_amount")) | {"next_tier": "T1", "unforeseen_lens": "lens"}
        gap |= {"one_order_reason": reason, "usual_orders_reason": reason}
        assert [len(gap_sentences(gap, language)) for language in LANGUAGES] == [1, 1]
    assert gap_sentences({"one_order_reason": "highest_tier"}, "en") == []
    assert gap_sentences(None, "en") == []


def test_the_report_counts_every_customer_below_the_highest_tier(published_home: Published) -> None:
    below = rows(f"select count(*) from '{published_home.release}/tier_gaps.parquet' where next_tier is not null")
    with connect_to(published_home.release) as connection:
        told = missing(connection)
    assert [(sum(row["customers"] for row in told["tiers"]),)] == below
    for row in told["tiers"]:
        assert row["customers"] == row["one_order"] + row["several_orders"] + row["not_told"]
    assert sum(row["customers"] for row in told["reasons"]) == sum(row["not_told"] for row in told["tiers"])
    assert "What is missing to the next tier" in (published_home.release / "report.html").read_text(encoding="utf-8")
