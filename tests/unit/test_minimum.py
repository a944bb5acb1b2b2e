"""Promises of the quick fit: a part of the rows shows the way, the whole decides where it ends."""

from __future__ import annotations

import numpy as np
import pytest

from ml import btyd
from ml.btyd import Btyd, History, expected_purchases, fit_btyd, fit_gamma_gamma, log_likelihood
from ml.likelihood import counted, distinct_of
from ml.minimum import LOG_BOUND, Floats, Objective, minimum

NAMES, MIDDLE, STARTS = ("a", "b"), np.zeros(2), [(0.0, 0.0), (2.0, -2.0)]


def bowl(at: tuple[float, float], looks: list[int], tilt: float = 0.5) -> Objective:
    """A loss with its least at ``at``, not a parabola; ``looks`` counts how often it was asked."""
    lowest, mixed = np.array(at), np.array([[1.0, tilt], [tilt, 2.0]])

    def loss(logs: Floats) -> tuple[float, Floats]:
        looks.append(1)
        off = mixed @ (logs - lowest)
        return float(np.log(np.cosh(off)).sum()), np.asarray(mixed.T @ np.tanh(off))

    return loss


def many(customers: int) -> History:
    """Histories that are nearly all distinct: who buys often, and until when, differs from customer to customer."""
    random = np.random.default_rng(7)
    age = random.integers(1, 1000, customers).astype(np.float64)
    rate, gone = random.gamma(0.8, 0.02, customers), random.exponential(300.0, customers)
    repeats = random.poisson(rate * np.minimum(age, gone)).astype(np.float64)
    repeats = np.minimum(repeats, age - 1)
    recency = np.ceil(np.minimum(age - 1, gone) * random.random(customers) ** 0.3)
    return History(repeats, np.where(repeats > 0, np.maximum(recency, repeats), 0.0), age)


def test_the_whole_decides_where_the_part_has_led_to_a_neighbour() -> None:
    whole, part = list[int](), list[int]()
    found, at_bound = minimum(bowl((0.3, -0.2), whole), MIDDLE, STARTS, NAMES, bowl((0.35, -0.25), part))
    assert np.log(found) == pytest.approx([0.3, -0.2], abs=1e-8)
    assert at_bound == ()
    alone = list[int]()
    minimum(bowl((0.3, -0.2), alone), MIDDLE, STARTS, NAMES)
    assert len(whole) < len(alone)


@pytest.mark.parametrize("astray", [(LOG_BOUND + 5, 0.0), (-4.0, 4.0)], ids=["at a bound", "far away"])
def test_a_part_that_leads_astray_is_not_followed(astray: tuple[float, float]) -> None:
    found, _ = minimum(bowl((0.3, -0.2), []), MIDDLE, STARTS, NAMES, bowl(astray, []))
    assert np.log(found) == pytest.approx([0.3, -0.2], abs=1e-6)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd"])
def test_many_histories_are_fitted_to_where_all_of_them_alone_would_lead(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = many(6_000)
    assert counted(history.repeats, history.recency, history.age).counts.size > 4_000
    alone = fit_btyd(history, model)
    monkeypatch.setattr(btyd, "PART_ROWS", 1_000)
    assert fit_btyd(history, model).values == pytest.approx(alone.values, rel=1e-5)
    days = 1.0 + history.repeats
    amounts = np.random.default_rng(8).gamma(4.0, 10.0, days.size) * (1.0 + days % 3)
    quick = fit_gamma_gamma(days, amounts, 1.0)
    monkeypatch.setattr(btyd, "PART_ROWS", 100_000)
    whole = fit_gamma_gamma(days, amounts, 1.0)
    assert (quick.p, quick.q, quick.gamma) == pytest.approx((whole.p, whole.q, whole.gamma), rel=1e-5)


def test_parts_of_days_are_told_apart_as_whole_days_are() -> None:
    """In weeks, values are sorted instead of counted; the likelihood and what is expected are those of the days."""
    history, weeks = many(500), History(*(column / np.array(scale) for column, scale in zip(
        vars(many(500)).values(), (1.0, 7.0, 7.0), strict=True)))  # fmt: skip
    in_days, in_weeks = Btyd("mbg_nbd", 0.8, 42.0, 0.8, 2.0), Btyd("mbg_nbd", 0.8, 6.0, 0.8, 2.0)
    bought = history.repeats.sum()
    assert log_likelihood(in_weeks, weeks) == pytest.approx(log_likelihood(in_days, history) + bought * np.log(7.0))
    assert expected_purchases(in_weeks, weeks, 13.0) == pytest.approx(expected_purchases(in_days, history, 91.0))
    for values in (history.age, weeks.age, np.array([1e12, 3.0, 3.0]), np.array([-1.0, 2.0])):
        found, places = distinct_of(values)
        assert list(found) == sorted(set(values.tolist()))
        assert list(found[places]) == list(values)
