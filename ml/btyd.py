"""Buy-till-you-die models by maximum likelihood: BG/NBD and MBG/NBD for purchases, Gamma-Gamma for their value.

Arrays in, arrays out, no thresholds of its own: frames, fall-backs and limits belong to train.py and score.py.
While alive a customer buys at a rate ~ Gamma(r, alpha) and drops out with a chance ~ Beta(a, b) right after a purchase:
after each repeat purchase in BG/NBD (Fader, Hardie, Lee 2005, Marketing Science 24(2)), after the first purchase too
in MBG/NBD (Batislam, Denizel, Filiztekin 2007, Int. J. of Research in Marketing 24(3)). So the two differ only in the
chances survived, x or x + 1: given alive, rate ~ Gamma(r + x, alpha + T) and chance ~ Beta(a, b + chances).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, hyp2f1

from ml.likelihood import Counted, btyd_likelihood, counted, distinct_of, gamma_gamma_loss
from ml.minimum import PART_ROWS, Floats, Objective, minimum

FIRST_PURCHASE_CHANCES = {"bg_nbd": 0, "mbg_nbd": 1}  # to drop out
# The count formula divides by a - 1; this near to 1 it loses about half of its digits.
NEAR_ONE = 1e-7


class GammaGammaRefused(ValueError):
    """The values do not meet what Gamma-Gamma assumes; the message is the reason."""


@dataclass(frozen=True)
class History:
    """Sufficient statistics, one entry a customer: three arrays of shape (n,), time in one unit (days here).

    x: purchase days after the first; t_x: from the first to the last purchase, 0 when x is 0; T: to the cut-off.
    """

    repeats: Floats  # x
    recency: Floats  # t_x
    age: Floats  # T


@dataclass(frozen=True)
class Btyd:
    """Parameters of ``model``, alpha in the history's unit of time; ``at_bound`` names those at a bound of the fit."""

    model: str
    r: float
    alpha: float
    a: float
    b: float
    at_bound: tuple[str, ...] = ()

    @property
    def values(self) -> Floats:
        return np.array([self.r, self.alpha, self.a, self.b])

    @property
    def chances(self) -> int:
        return FIRST_PURCHASE_CHANCES[self.model]


@dataclass(frozen=True)
class GammaGamma:
    """Shape p of a purchase's value; shape q and scale gamma, in money, of how customers differ."""

    p: float
    q: float
    gamma: float
    at_bound: tuple[str, ...] = ()


def fit_btyd(history: History, model: str) -> Btyd:
    """The parameters of greatest likelihood. Raises KeyError for an unknown model, ValueError without customers."""
    if not history.age.size:
        raise ValueError("btyd: no customers to fit, expected at least one")
    chances, distinct = FIRST_PURCHASE_CHANCES[model], counted(history.repeats, history.recency, history.age)
    part = _loss(chances, distinct.part(PART_ROWS)) if distinct.counts.size > PART_ROWS else None
    middle = np.array([0.0, np.log(history.age.mean()), 0.0, 0.0])
    starts = [(-1.0, -1.0, 0.0, 1.0), (0.0, 0.0, -1.0, 0.0)]
    (r, alpha, a, b), at_bound = minimum(_loss(chances, distinct), middle, starts, ("r", "alpha", "a", "b"), part)
    return Btyd(model, r, alpha, a, b, at_bound)


def log_likelihood(model: Btyd, history: History) -> float:
    """Sum over the customers: equation 6 of Fader, Hardie, Lee 2005; for MBG/NBD its like in Batislam et al. 2007."""
    return btyd_likelihood(model.values, model.chances, counted(history.repeats, history.recency, history.age))[0]


def p_alive(model: Btyd, history: History) -> Floats:
    """P(not dropped out by the cut-off | x, t_x, T), shape (n,).

    1 / (1 + a / (b + chances - 1) ((alpha + T) / (alpha + t_x))^(r + x)), 1 before the first chance to drop out: the
    alive part of the likelihood over the whole (Fader, Hardie, Lee 2008, "Computing P(alive) using the BG/NBD model").
    """
    return np.asarray(expit(-_log_odds_dropped(model.values, model.chances, history)), dtype=np.float64)


def p_no_purchase(model: Btyd, history: History, horizon: float | Floats) -> Floats:
    """P(no purchase in (T, T + horizon] | x, t_x, T), shape (n,): dropped out, or alive and not buying.

    In both models one drops out only right after a purchase, so whoever is alive at T waits exponentially for the next:
    E[exp(-rate h) | alive] = ((alpha + T) / (alpha + T + h))^(r + x), as the rate is Gamma(r + x, alpha + T). Hence
    1 - P(alive) (1 - that); derived from the likelihoods of the two papers.
    """
    since = model.alpha + history.age
    buys = -np.expm1((model.r + history.repeats) * np.log(since / (since + horizon)))
    return 1.0 - p_alive(model, history) * buys


def next_purchase_days(model: Btyd, history: History, quantile: float | Floats, longest: float) -> Floats:
    """Days from the cut-off until P(purchase) reaches ``quantile``, shape (n,): the inverse of ``p_no_purchase``.

    NaN when that takes more than ``longest`` days or never happens, because P(alive) is not above the quantile.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        silent = np.log1p(-quantile / p_alive(model, history))
        days = (model.alpha + history.age) * np.expm1(-silent / (model.r + history.repeats))
        return np.where(days <= longest, days, np.nan)


def expected_purchases(model: Btyd, history: History, horizon: float) -> Floats:
    """Expected purchases in (T, T + horizon] | x, t_x, T, shape (n,).

    P(alive) E[(1 - exp(-rate chance h)) / chance | alive] = P(alive) c / (a - 1) (1 - u^(r + x) 2F1(r + x, c - a + 1;
    c; 1 - u)), c = a + b + chances - 1, u = (alpha + T) / (alpha + T + h): equation 10 of Fader, Hardie, Lee 2005, in
    Euler's form where the other overflows. It lies between P(at least one purchase) and the count without drop-out,
    which stands in where 2F1 is not finite.
    """
    a = model.a if abs(model.a - 1.0) > NEAR_ONE else 1.0 + NEAR_ONE
    (x, of_x), (ages, of_age) = distinct_of(history.repeats), distinct_of(history.age)
    # What the alive expect depends on x and T alone, which many customers share.
    pairs, of_pair = distinct_of((of_x * ages.size + of_age).astype(np.float64))
    at_x, at_age = np.divmod(pairs.astype(np.intp), ages.size)
    c = a + model.b + x[at_x] + model.chances - 1.0
    shape, since = model.r + x[at_x], model.alpha + ages[at_age]
    left = since / (since + horizon)
    euler = shape > a - 1.0
    first, second = np.where(euler, c - shape, shape), np.where(euler, a - 1.0, c - a + 1.0)
    with np.errstate(all="ignore"):
        series = left ** np.minimum(shape, a - 1.0) * hyp2f1(first, second, c, 1.0 - left)
        count = c / (a - 1.0) * (1.0 - series)
    at_least, at_most = -np.expm1(shape * np.log(left)), shape / since * horizon
    count = np.where(np.isfinite(count), np.clip(count, at_least, at_most), at_most)
    return p_alive(model, history) * count[of_pair]


def fit_gamma_gamma(purchases: Floats, mean_amount: Floats, correlation_limit: float) -> GammaGamma:
    """Gamma-Gamma of greatest likelihood from each customer's number of purchases and their mean value, shape (n,).

    Equation 1a of Fader, Hardie 2013, "The Gamma-Gamma Model of Monetary Value"; only positive values take part. Raises
    GammaGammaRefused when fewer than two remain, when |corr(number, mean value)| is above the limit (the model has the
    two independent) or when q <= 1 (the mean over customers is infinite).
    """
    used = (purchases > 0) & (mean_amount > 0)
    x, z = purchases[used], mean_amount[used]
    if x.size < 2:
        raise GammaGammaRefused(f"{x.size} customers have a positive mean value, expected at least 2")
    correlation = np.corrcoef(x, z)[0, 1] if np.ptp(x) > 0 and np.ptp(z) > 0 else 0.0
    if abs(correlation) > correlation_limit:
        raise GammaGammaRefused(f"number and mean value correlate by {correlation:.2f}, not within {correlation_limit}")
    middle = np.array([0.0, 0.0, np.log(z.mean())])
    starts = [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0)]
    every = x.size // PART_ROWS
    part = gamma_gamma_loss(x[::every], z[::every]) if every > 1 else None
    (p, q, gamma), at_bound = minimum(gamma_gamma_loss(x, z), middle, starts, ("p", "q", "gamma"), part)
    if q <= 1:
        raise GammaGammaRefused(f"q is {q:.2f}, expected more than 1 for a finite mean value")
    return GammaGamma(p, q, gamma, at_bound)


def expected_amount(model: GammaGamma, purchases: Floats, mean_amount: Floats) -> Floats:
    """Expected value of a future purchase, shape (n,): p (gamma + x z) / (p x + q - 1), equation 5 of the same note.

    No purchases give the population's mean; a mean below zero counts as zero, for the model knows none.
    """
    spent = purchases * np.maximum(mean_amount, 0.0)
    return model.p * (model.gamma + spent) / (model.p * purchases + model.q - 1.0)


def _loss(chances: int, history: Counted) -> Objective:
    """Negative mean log-likelihood by the logs of the parameters."""

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = btyd_likelihood(np.exp(logs), chances, history)
        return -value / history.customers, -gradient / history.customers

    return loss


def _log_odds_dropped(parameters: Floats, first: int, history: History) -> Floats:
    """log of P(dropped out) / P(alive); minus infinity before the first chance to drop out."""
    r, alpha, a, b = parameters
    chances = history.repeats + first
    waited = np.log((alpha + history.age) / (alpha + history.recency))
    odds = np.log(a) - np.log(b + np.maximum(chances, 1.0) - 1.0) + (r + history.repeats) * waited
    return np.where(chances > 0, odds, -np.inf)
