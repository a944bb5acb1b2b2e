"""Buy-till-you-die models by maximum likelihood: BG/NBD and MBG/NBD for purchases, Gamma-Gamma for their value.

Arrays in, arrays out, no thresholds of its own: frames, fall-backs and limits belong to train.py and score.py.
While alive a customer buys at a rate ~ Gamma(r, alpha) and drops out with a chance ~ Beta(a, b) right after a purchase:
after each repeat purchase in BG/NBD (Fader, Hardie, Lee 2005, Marketing Science 24(2)), after the first purchase too
in MBG/NBD (Batislam, Denizel, Filiztekin 2007, Int. J. of Research in Marketing 24(3)). So the two differ only in the
chances survived, x or x + 1: given alive, rate ~ Gamma(r + x, alpha + T) and chance ~ Beta(a, b + chances).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

Floats = npt.NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

FIRST_PURCHASE_CHANCES = {"bg_nbd": 0, "mbg_nbd": 1}  # to drop out
# Shapes are sought within e^-9 .. e^9, scales as far around the mean: the likelihood is flat past that.
LOG_BOUND = 9.0
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
    chances, (unique, counts) = FIRST_PURCHASE_CHANCES[model], _unique(history)

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = _likelihood(np.exp(logs), chances, unique, counts)
        return -value / history.age.size, -gradient / history.age.size

    middle = np.array([0.0, np.log(history.age.mean()), 0.0, 0.0])
    starts = [(-1.0, -1.0, 0.0, 1.0), (0.0, 0.0, -1.0, 0.0)]
    (r, alpha, a, b), at_bound = _minimum(loss, middle, starts, ("r", "alpha", "a", "b"))
    return Btyd(model, r, alpha, a, b, at_bound)


def log_likelihood(model: Btyd, history: History) -> float:
    """Sum over the customers: equation 6 of Fader, Hardie, Lee 2005; for MBG/NBD its like in Batislam et al. 2007."""
    return _likelihood(model.values, model.chances, *_unique(history))[0]


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
    c = a + model.b + history.repeats + model.chances - 1.0
    shape, since = model.r + history.repeats, model.alpha + history.age
    left = since / (since + horizon)
    euler = shape > a - 1.0
    first, second = np.where(euler, c - shape, shape), np.where(euler, a - 1.0, c - a + 1.0)
    with np.errstate(all="ignore"):
        series = left ** np.minimum(shape, a - 1.0) * hyp2f1(first, second, c, 1.0 - left)
        count = c / (a - 1.0) * (1.0 - series)
    at_least, at_most = -np.expm1(shape * np.log(left)), shape / since * horizon
    count = np.where(np.isfinite(count), np.clip(count, at_least, at_most), at_most)
    return p_alive(model, history) * count


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
    (p, q, gamma), at_bound = _minimum(_gamma_gamma_loss(x, z), middle, starts, ("p", "q", "gamma"))
    if q <= 1:
        raise GammaGammaRefused(f"q is {q:.2f}, expected more than 1 for a finite mean value")
    return GammaGamma(p, q, gamma, at_bound)


def expected_amount(model: GammaGamma, purchases: Floats, mean_amount: Floats) -> Floats:
    """Expected value of a future purchase, shape (n,): p (gamma + x z) / (p x + q - 1), equation 5 of the same note.

    No purchases give the population's mean; a mean below zero counts as zero, for the model knows none.
    """
    spent = purchases * np.maximum(mean_amount, 0.0)
    return model.p * (model.gamma + spent) / (model.p * purchases + model.q - 1.0)


def _unique(history: History) -> tuple[History, Floats]:
    """The distinct histories in order and how many customers have each."""
    counted = pd.DataFrame(vars(history)).value_counts(sort=False).sort_index()
    columns = (counted.index.get_level_values(place).to_numpy() for place in range(3))
    return History(*columns), counted.to_numpy().astype(np.float64)


def _log_odds_dropped(parameters: Floats, first: int, history: History) -> Floats:
    """log of P(dropped out) / P(alive); minus infinity before the first chance to drop out."""
    r, alpha, a, b = parameters
    chances = history.repeats + first
    waited = np.log((alpha + history.age) / (alpha + history.recency))
    odds = np.log(a) - np.log(b + np.maximum(chances, 1.0) - 1.0) + (r + history.repeats) * waited
    return np.where(chances > 0, odds, -np.inf)


def _likelihood(parameters: Floats, first: int, history: History, counts: Floats) -> tuple[float, Floats]:
    """Log-likelihood of counted histories and its gradient by the logs of (r, alpha, a, b).

    What depends on x alone is summed over the distinct x, so that no gamma function runs over all histories.
    """
    r, alpha, a, b = parameters
    x, place = np.unique(history.repeats, return_inverse=True)
    n, m, total = np.bincount(place, counts), x + first, counts.sum()
    value = n @ (gammaln(r + x) + betaln(a, b + m)) + total * (r * np.log(alpha) - gammaln(r) - betaln(a, b))
    by_r = n @ digamma(r + x) + total * (np.log(alpha) - digamma(r))
    both = n @ digamma(a + b + m) - total * digamma(a + b)
    by_b = n @ digamma(b + m) - total * digamma(b) - both
    odds = _log_odds_dropped(parameters, first, history)
    dropped, shape = counts * expit(odds), r + history.repeats
    until, to_last = alpha + history.age, alpha + history.recency
    value += counts @ (np.logaddexp(0.0, odds) - shape * np.log(until))
    by_r += dropped @ np.log(until / to_last) - counts @ np.log(until)
    by_alpha = total * r / alpha - counts @ (shape / until) + dropped @ (shape / until - shape / to_last)
    by_a = dropped.sum() / a - both
    by_b -= (dropped / (b + np.maximum(history.repeats + first, 1.0) - 1.0)).sum()
    return float(value), parameters * np.array([by_r, by_alpha, by_a, by_b])


def _gamma_gamma_loss(x: Floats, z: Floats) -> Objective:
    """Negative mean log-likelihood of Gamma-Gamma, without its constant terms, and its gradient by the logs."""
    distinct, n = np.unique(x, return_counts=True)
    log_sums = x * np.log(x * z)

    def loss(logs: Floats) -> tuple[float, Floats]:
        p, q, gamma = np.exp(logs)
        px, logs_mixed = p * distinct, np.log(gamma + x * z)
        value = n @ (gammaln(px + q) - gammaln(px)) + x.size * (q * logs[2] - gammaln(q))
        value += p * log_sums.sum() - (p * x + q) @ logs_mixed
        by_p = n @ (distinct * (digamma(px + q) - digamma(px))) + (log_sums - x * logs_mixed).sum()
        by_q = n @ digamma(px + q) + x.size * (logs[2] - digamma(q)) - logs_mixed.sum()
        by_gamma = x.size * q / gamma - ((p * x + q) / (gamma + x * z)).sum()
        return -float(value) / x.size, -np.array([p * by_p, q * by_q, gamma * by_gamma]) / x.size

    return loss


def _minimum(
    loss: Objective, middle: Floats, starts: Sequence[Sequence[float]], names: Sequence[str]
) -> tuple[list[float], tuple[str, ...]]:
    """The best parameters from all starts (logs, off the middle), and the names of those that sit at a bound."""
    from scipy.optimize import minimize  # half a second, which scoring need not pay

    how = {"method": "L-BFGS-B", "options": {"maxiter": 2_000, "ftol": 1e-14, "gtol": 1e-8}}
    bounds = [(centre - LOG_BOUND, centre + LOG_BOUND) for centre in middle]
    found = [minimize(loss, middle + np.array(start), jac=True, bounds=bounds, **how) for start in starts]
    best = min(found, key=lambda one: float(one.fun))
    at_bound = [name for name, off in zip(names, np.abs(best.x - middle), strict=True) if off > LOG_BOUND - 1e-6]
    return [float(value) for value in np.exp(best.x)], tuple(at_bound)
