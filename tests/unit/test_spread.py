"""Promises of the spread: learned from one past it covers four of five in another, and a wrong one does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.btyd import Floats
from ml.champion import Expected
from ml.spread import HIGH, LOW, Spread, count_ranks, learned_spread, value_range


def lives(seed: int, customers: int = 20_000) -> tuple[Expected, Expected]:
    """What is expected of customers and what came: purchases that scatter more than Poisson's, and values that scatter
    most for who buys least."""
    random = np.random.default_rng(seed)
    activity, more = random.uniform(0.05, 0.95, customers), random.gamma(1.0, 2.0, customers)
    value = (1.0 + more) * 50.0
    expected = Expected(activity, activity * (1.0 + more), activity * value)
    buys = random.random(customers) < activity
    count = np.where(buys, 1 + random.negative_binomial(2.0, 2.0 / (2.0 + more)), 0).astype(np.float64)
    came = random.lognormal(0.0, 0.3 + 1.0 / (1.0 + more), customers) * value
    return expected, Expected(buys.astype(np.float64), count, np.where(buys, came, 0.0))


def coverage(spread: Spread, expected: Expected, came: Expected) -> tuple[float, float]:
    ranks = count_ranks(spread, expected, came.count, np.random.default_rng(1))
    low, high = value_range(spread, expected)
    buys = came.count > 0
    inside = (came.value >= low) & (came.value <= high)
    return float(((ranks >= LOW) & (ranks <= HIGH)).mean()), float(inside[buys].mean())


def test_a_spread_of_the_past_covers_four_of_five_of_what_comes() -> None:
    """.8 within three standard errors, .003, of 20,000 customers, and as much again for what was learned."""
    spread = learned_spread(*lives(1))
    assert coverage(spread, *lives(2)) == pytest.approx((0.8, 0.8), abs=0.016)
    low, high = value_range(spread, lives(2)[0])
    assert (low < high).all()


def test_values_are_covered_alike_whether_much_or_little_is_expected() -> None:
    spread, (expected, came) = learned_spread(*lives(1)), lives(2)
    of_buyers = expected.count / expected.activity
    for those in (of_buyers < 1.5, of_buyers > 5.0):
        some = (Expected(*(part[those] for part in vars(side).values())) for side in (expected, came))
        assert coverage(spread, *some)[1] == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("times", [0.3, 3.0])
def test_a_spread_that_is_too_narrow_or_too_wide_is_found_out(times: float) -> None:
    spread, future = learned_spread(*lives(1)), lives(2)
    middle = [(low * high) ** 0.5 for low, high in zip(spread.low, spread.high, strict=True)]
    wrong = replace(
        spread,
        low=tuple(mid * (low / mid) ** times for mid, low in zip(middle, spread.low, strict=True)),
        high=tuple(mid * (high / mid) ** times for mid, high in zip(middle, spread.high, strict=True)),
    )
    assert not 0.75 <= coverage(wrong, *future)[1] <= 0.85
    assert not 0.75 <= coverage(replace(spread, more=tuple(times * more for more in spread.more)), *future)[0] <= 0.85


def test_the_ranks_of_purchases_are_even_over_all_customers_who_do_not_buy_included() -> None:
    expected, came = lives(2)
    ranks = count_ranks(learned_spread(*lives(1)), expected, came.count, np.random.default_rng(1))
    tenths: Floats = np.histogram(ranks, bins=10, range=(0.0, 1.0))[0] / ranks.size
    assert tenths == pytest.approx(np.full(10, 0.1), abs=0.012)


def test_nobody_who_bought_leaves_nothing_to_learn() -> None:
    nothing = Expected(np.zeros(3), np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="nobody bought"):
        learned_spread(Expected(np.full(3, 0.5), np.ones(3), np.ones(3)), nothing)
