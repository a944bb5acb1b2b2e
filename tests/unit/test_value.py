"""Promises of the back-test of tiers: shares by hand, ties in part, an interval that knows when it knows nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from ml.params import load_value_params
from ml.value import Array, Cutoff, held_by_top, rfm_scores, tier_value
from orchestration.release.report_value import told_value

PARAMS = load_value_params()
DAY = date(2025, 6, 30)


def cutoff(score: Array, net: Array, later: Array, day: date = DAY) -> Cutoff:
    """Customers in twenty groups in turn; T1 is who has more points than the mean. Half of what is bought is margin."""
    tiers = tuple(np.where(score > score.mean(), "T1", "T2"))
    ones = np.ones(len(score))
    group = np.arange(len(score)) % PARAMS.groups
    return Cutoff(day, tiers, score, net, ones, ones, later, later / 2, group)


def test_the_top_fifth_holds_what_its_customers_bought_and_equals_at_the_edge_count_in_part() -> None:
    later = np.array([50.0, 30.0, 10.0, 6.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    group = np.arange(10)
    by_later = held_by_top(later, later, group, PARAMS)
    assert by_later[0] == pytest.approx(0.8)
    assert held_by_top(np.ones(10), later, group, PARAMS)[0] == pytest.approx(0.2)  # all are equal: a fifth of all
    first = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert held_by_top(first, later, group, PARAMS)[0] == pytest.approx(0.48)  # two of the first four, who bought 96
    assert by_later[1] == pytest.approx((30 + 0.8 * 10) / 50)  # without the customer who bought 50: 1.8 of nine


def test_a_score_that_sees_what_comes_is_better_and_one_like_net_sales_proves_nothing() -> None:
    rng = np.random.default_rng(7)
    later, noise = rng.gamma(0.5, 100, 2000), rng.gamma(0.5, 100, 2000)
    seeing = tier_value([cutoff(later + noise / 10, noise, later)], PARAMS)
    same = tier_value([cutoff(noise, noise, later), cutoff(noise, noise, later, date(2025, 7, 28))], PARAMS)
    blind = tier_value([cutoff(noise, later, later)], PARAMS)
    assert seeing
    assert same
    assert blind
    assert (seeing.verdict, same.verdict, blind.verdict) == ("better", "unproven", "worse")
    assert (same.ahead, same.low, same.high) == (0, 0, 0)
    tops = seeing.tops[DAY]
    assert tops["oracle"].net is not None
    assert tops["tier_score"].net is not None
    assert tops["oracle"].net >= tops["tier_score"].net > 0.5
    tiers = seeing.tiers[DAY]
    assert sum(held.customers for held in tiers.values()) == pytest.approx(1)
    assert sum(held.net or 0 for held in tiers.values()) == pytest.approx(1)
    assert tiers["T1"].net == pytest.approx(tiers["T1"].margin)


def test_days_without_later_trade_tell_nothing() -> None:
    nothing = cutoff(np.arange(10.0), np.arange(10.0), np.zeros(10))
    assert tier_value([nothing], PARAMS) is None
    assert tier_value([], PARAMS) is None
    assert told_value(None) is None
    without_margin = replace(nothing, later_net=np.ones(10))
    value = tier_value([nothing, without_margin], PARAMS)
    assert value is not None
    assert value.cutoffs == (DAY,)
    told = told_value(value)
    assert told is not None
    assert told["rankings"][0][2]["margin"] is None


def test_rfm_counts_the_buyers_that_are_strictly_worse() -> None:
    ones = np.ones(5)
    one = replace(
        cutoff(np.arange(5.0), np.array([10.0, 20.0, 30.0, 40.0, 0.0]), ones),
        order_count=np.array([1.0, 1.0, 2.0, 3.0, 0.0]),
        recency=np.array([40.0, 30.0, 30.0, 1.0, 0.0]),
    )
    # Recency 1 2 2 4, frequency 1 1 3 4, monetary 1 2 3 4 of five quantiles of four buyers; who never bought has none.
    assert rfm_scores(one, PARAMS).tolist() == [3.0, 5.0, 8.0, 12.0, 0.0]
