"""Promises of the buy-till-you-die models: the published figures come back, and what is predicted is what happens."""

from __future__ import annotations

from importlib.util import find_spec
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import roots_jacobi

from ml.btyd import (
    Btyd,
    Floats,
    GammaGammaRefused,
    History,
    expected_amount,
    expected_purchases,
    fit_btyd,
    fit_gamma_gamma,
    log_likelihood,
    next_purchase_days,
    p_alive,
    p_no_purchase,
)

MODELS = ("bg_nbd", "mbg_nbd")
# Rates and drop-out as CDNOW has them, in weeks.
PARAMETERS = {"r": 0.8, "alpha": 6.0, "a": 0.8, "b": 2.0}


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    """Fader and Hardie's summary of the 1/10 sample: 2,357 customers, 39 weeks, x and zbar of repeat purchases."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "datasets"
    return pd.read_csv(folder / "cdnow_customers_summary_with_transactions.csv").astype(float)


def one(x: float, recency: float, age: float) -> History:
    return History(np.array([x]), np.array([recency]), np.array([age]))


def history_of(cdnow: pd.DataFrame) -> History:
    return History(*(cdnow[name].to_numpy() for name in ("x", "t_x", "T")))


def grid() -> History:
    """Histories from none to many purchases, fresh and long silent."""
    rows = [(0, 0, 1), (0, 0, 400), (1, 1, 2), (1, 10, 400), (5, 390, 400), (5, 30, 400), (300, 395, 400)]
    return History(*np.array(rows, dtype=np.float64).T)


def simulated(model: Btyd, horizon: float, customers: int = 40_000) -> tuple[History, Floats]:
    """Histories of customers who live by the model, with their purchases in the horizon after it. Fixed seed."""
    random = np.random.default_rng(20250101)
    rate = random.gamma(model.r, 1 / model.alpha, customers)
    chance = random.beta(model.a, model.b, customers)
    age = random.uniform(10.0, 40.0, customers)
    x, recency, later, moment = (np.zeros(customers) for _ in range(4))
    alive = random.random(customers) >= chance if model.model == "mbg_nbd" else np.ones(customers, dtype=bool)
    while alive.any():
        moment = moment + random.exponential(1 / rate)
        alive &= moment <= age + horizon
        before = alive & (moment <= age)
        x, recency = x + before, np.where(before, moment, recency)
        later += alive & ~before
        alive &= random.random(customers) >= chance
    return History(x, recency, age), later


def test_bg_nbd_gives_the_published_figures_of_cdnow(cdnow: pd.DataFrame) -> None:
    """Fader, Hardie, Lee 2005, table 2; tolerances are the last digits printed there."""
    history = history_of(cdnow)
    fitted = fit_btyd(history, "bg_nbd")
    assert log_likelihood(fitted, history) == pytest.approx(-9582.4, abs=0.1)
    assert [fitted.r, fitted.alpha, fitted.a, fitted.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=0.001)
    assert fitted.at_bound == ()
    # Their worked customer: x = 2, t_x = 30.43, T = 38.86, the following 39 weeks.
    assert expected_purchases(fitted, one(2, 30.43, 38.86), 39.0) == pytest.approx([1.226], abs=0.001)


def test_gamma_gamma_gives_the_published_figures_of_cdnow(cdnow: pd.DataFrame) -> None:
    """Fader, Hardie 2013; tolerance .01 as printed there. 946 customers bought again."""
    fitted = fit_gamma_gamma(cdnow["x"].to_numpy(), cdnow["zbar"].to_numpy(), 0.3)
    assert [fitted.p, fitted.q, fitted.gamma] == pytest.approx([6.25, 3.74, 15.44], abs=0.01)


@pytest.mark.parametrize("model", MODELS)
def test_no_parameter_can_be_moved_without_losing_likelihood(model: str, cdnow: pd.DataFrame) -> None:
    history = history_of(cdnow)
    fitted = fit_btyd(history, model)
    best = log_likelihood(fitted, history)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.98, 1.02):
            moved = Btyd(model, **{n: getattr(fitted, n) * (factor if n == name else 1) for n in PARAMETERS})
            assert log_likelihood(moved, history) < best


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_of_all_histories_is_one(model: str) -> None:
    """With T = 1 for everyone, the densities of (x, t_x) sum to 1: over x, integrated over t_x in (0, T)."""
    parameters = Btyd(model, 2.0, 3.0, 0.8, 2.0)
    points, weights = np.polynomial.legendre.leggauss(14)
    total = np.exp(log_likelihood(parameters, one(0, 0, 1)))
    for x in range(1, 21):
        for t, weight in zip((points + 1) / 2, weights / 2, strict=True):
            earlier = t ** (x - 1) / factorial(x - 1)  # the other purchases fall anywhere before t_x, in their order
            total += weight * earlier * np.exp(log_likelihood(parameters, one(x, t, 1)))
    # More than 20 purchases have a chance below 21 (1 / (alpha + 1))^21 = 5e-12 here.
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_simulated_customers_stay_away_and_buy_as_often_as_predicted(model: str) -> None:
    """By groups of x, with means of thousands of independent customers: within 4 standard errors (1 in 16,000)."""
    parameters, horizon = Btyd(model, **PARAMETERS), 13.0
    history, later = simulated(parameters, horizon)
    away, count = p_no_purchase(parameters, history, horizon), expected_purchases(parameters, history, horizon)
    for low, high in ((0, 0), (1, 1), (2, 3), (4, 7), (8, 1_000)):
        group = (history.repeats >= low) & (history.repeats <= high)
        assert group.sum() > 500
        for predicted, happened in ((away[group], later[group] == 0), (count[group], later[group])):
            assert abs(happened.mean() - predicted.mean()) < 4 * happened.std() / np.sqrt(group.sum())


@pytest.mark.parametrize("model", MODELS)
def test_the_fit_finds_the_parameters_that_customers_were_simulated_with(model: str) -> None:
    """40,000 customers place them with standard errors of up to 8 % (b of MBG/NBD): within three of them."""
    history, _ = simulated(Btyd(model, **PARAMETERS), 1.0)
    fitted = fit_btyd(history, model)
    assert fitted.values == pytest.approx(list(PARAMETERS.values()), rel=0.24)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("a", [0.05, 1.0, 3.0, 300.0])
def test_expected_purchases_agree_with_integration_over_the_drop_out_chance(model: str, a: float) -> None:
    """60-point Gauss-Jacobi over the chance; 1e-5 leaves room for a being moved off 1, where one divides by a - 1."""
    parameters, horizon = Btyd(model, 0.8, 6.0, a, 2.0), 90.0
    history = grid()
    found = expected_purchases(parameters, history, horizon) / p_alive(parameters, history)
    for place, (x, age) in enumerate(zip(history.repeats, history.age, strict=True)):
        points, weights = roots_jacobi(60, parameters.b + x + parameters.chances - 1, a - 1)
        chance, since = (points + 1) / 2, parameters.alpha + age
        buys = (1 - (since / (since + chance * horizon)) ** (parameters.r + x)) / chance
        assert found[place] == pytest.approx(weights @ buys / weights.sum(), rel=1e-5)


def test_without_a_finite_count_the_bound_without_drop_out_stands_in() -> None:
    """a + b = 1 without a purchase: the formula is 0 times infinity. (r + x) / (alpha + T) h is the bound."""
    parameters = Btyd("bg_nbd", 0.8, 6.0, 0.5, 0.5)
    assert expected_purchases(parameters, one(0, 0, 10), 8.0) == pytest.approx([0.8 / 16.0 * 8.0])


@pytest.mark.parametrize("model", MODELS)
def test_p_alive_falls_with_silence_and_reaches_its_limits(model: str) -> None:
    parameters = Btyd(model, **PARAMETERS)
    fresh, silent, gone = (p_alive(parameters, one(5, 30, age))[0] for age in (30, 60, 30_000))
    assert 1 > fresh > silent > gone > 0
    assert gone < 1e-9
    # Nothing has been heard of BG/NBD customers that could have made them drop out; MBG/NBD's may have at once.
    never = p_alive(parameters, one(0, 0, 30))[0]
    assert never == 1.0 if model == "bg_nbd" else never < 1.0
    # On the day of the first purchase MBG/NBD knows the mean chance only: b / (a + b) are alive.
    if model == "mbg_nbd":
        assert p_alive(parameters, one(0, 0, 0))[0] == pytest.approx(2.0 / 2.8)


@pytest.mark.parametrize("model", MODELS)
def test_staying_away_is_certain_for_no_time_and_less_likely_the_longer_it_lasts(model: str) -> None:
    parameters, history = Btyd(model, **PARAMETERS), grid()
    assert p_no_purchase(parameters, history, 0.0) == pytest.approx(1.0)
    curve = np.stack([p_no_purchase(parameters, history, days) for days in (1, 7, 30)])
    assert (np.diff(curve, axis=0) < 0).all()
    assert p_no_purchase(parameters, history, 1e12) == pytest.approx(1 - p_alive(parameters, history), abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_days_to_the_next_purchase_are_read_from_the_curve_of_staying_away(model: str) -> None:
    parameters, history = Btyd(model, **PARAMETERS), grid()
    for quantile in (0.1, 0.5, 0.9):
        days = next_purchase_days(parameters, history, quantile, 365.0)
        known = ~np.isnan(days)
        assert p_no_purchase(parameters, history, np.where(known, days, 0))[known] == pytest.approx(1 - quantile)
        # No date exactly where the curve is still above after the longest horizon.
        assert (known == (p_no_purchase(parameters, history, 365.0) <= 1 - quantile)).all()
    assert known.any()
    assert not known.all()


def test_a_fit_without_drop_out_says_which_parameters_sit_at_a_bound() -> None:
    """Everyone buys every 10 days to the end: neither spread of rates nor drop-out can be placed."""
    x = np.arange(5.0, 45.0)
    assert fit_btyd(History(x, 10 * x, 10 * x + 1), "mbg_nbd").at_bound


def test_no_customers_and_unknown_models_are_refused() -> None:
    with pytest.raises(ValueError, match="no customers to fit"):
        fit_btyd(History(*np.empty((3, 0))), "bg_nbd")
    with pytest.raises(KeyError):
        fit_btyd(grid(), "pareto_nbd")


def test_gamma_gamma_is_refused_when_value_goes_with_frequency_or_has_no_mean() -> None:
    random = np.random.default_rng(1)
    x = random.integers(1, 30, 500).astype(np.float64)
    with pytest.raises(GammaGammaRefused, match=r"correlate by 0\.9\d, not within 0\.3"):
        fit_gamma_gamma(x, x * random.uniform(0.9, 1.1, 500), 0.3)
    with pytest.raises(GammaGammaRefused, match=r"q is 0\.\d\d, expected more than 1"):
        fit_gamma_gamma(x, random.pareto(0.5, 500) + 0.01, 0.3)
    with pytest.raises(GammaGammaRefused, match="1 customers have a positive mean value"):
        fit_gamma_gamma(np.array([1.0, 2.0]), np.array([5.0, -1.0]), 0.3)


def test_an_expected_amount_goes_from_the_population_to_the_customer_with_his_purchases(cdnow: pd.DataFrame) -> None:
    fitted = fit_gamma_gamma(cdnow["x"].to_numpy(), cdnow["zbar"].to_numpy(), 0.3)
    purchases = np.array([0.0, 1.0, 10.0, 1e9])
    amounts = expected_amount(fitted, purchases, np.full(4, 100.0))
    assert amounts[0] == pytest.approx(fitted.p * fitted.gamma / (fitted.q - 1))
    assert (np.diff(amounts) > 0).all()
    assert amounts[-1] == pytest.approx(100.0)
    assert expected_amount(fitted, purchases[1:2], np.array([-50.0])) == expected_amount(
        fitted, purchases[1:2], np.array([0.0])
    )
