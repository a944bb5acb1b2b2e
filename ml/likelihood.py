"""Log-likelihoods of buy-till-you-die models with their gradients, made quick for many customers.

Sums over customers become sums over what is distinct: histories, and within them purchases, silences and ages, whose
logarithms and gamma functions are looked up. What the models are and say is btyd.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, digamma, gammaln

from ml.minimum import Floats, Objective

Places = npt.NDArray[np.intp]
# Whole days make one number of a history as long as it stays an exact integer.
MOST_KEYS = 2**62
# Counting needs as much room as the greatest value; past so many times the number of values they are sorted.
MOST_PER_VALUE = 4


@dataclass(frozen=True)
class Counted:
    """Distinct histories in order and how many customers have each: ``x``, ``last`` and ``age`` are the distinct
    purchases, recencies and ages, ``of_x`` and so on the place of each history among them."""

    counts: Floats
    x: Floats
    of_x: Places
    last: Floats
    of_last: Places
    age: Floats
    of_age: Places

    @property
    def customers(self) -> float:
        return float(self.counts.sum())

    def part(self, rows: int) -> Counted:
        """About so many of the histories, evenly over their order."""
        every = max(1, self.counts.size // rows)
        of_x, of_last, of_age = (places[::every] for places in (self.of_x, self.of_last, self.of_age))
        return Counted(self.counts[::every], self.x, of_x, self.last, of_last, self.age, of_age)


def counted(repeats: Floats, recency: Floats, age: Floats) -> Counted:
    """The distinct histories of customers, arrays of shape (n,)."""
    (x, of_x), (last, of_last), (ages, of_age) = (distinct_of(column) for column in (repeats, recency, age))
    key = (of_x * last.size + of_last) * ages.size + of_age
    if x.size * last.size * ages.size >= MOST_KEYS:
        raise ValueError("likelihood: more distinct histories than can be told apart")
    distinct, counts = np.unique(key, return_counts=True)
    rest, of_age = np.divmod(distinct, ages.size)
    of_x, of_last = np.divmod(rest, last.size)
    return Counted(counts.astype(np.float64), x, of_x, last, of_last, ages, of_age)


def distinct_of(values: Floats) -> tuple[Floats, Places]:
    """The distinct values in order, and the place of each value among them; whole days are counted, not sorted."""
    if not values.size or values.min() < 0 or values.max() > MOST_PER_VALUE * values.size or (values % 1.0).any():
        found, places = np.unique(values, return_inverse=True)
        return found, places
    whole = values.astype(np.intp)
    is_there = np.bincount(whole) > 0
    return np.flatnonzero(is_there).astype(np.float64), (np.cumsum(is_there) - 1)[whole]


def btyd_likelihood(parameters: Floats, first: int, history: Counted) -> tuple[float, Floats]:
    """Log-likelihood and its gradient by the logs of (r, alpha, a, b), equation 6 of Fader, Hardie, Lee 2005;
    ``first``: the chances to drop out at the first purchase, 0 in BG/NBD, 1 in MBG/NBD."""
    r, alpha, a, b = parameters
    x, m, total, counts = history.x, history.x + first, history.customers, history.counts
    n, n_age = np.bincount(history.of_x, counts, x.size), np.bincount(history.of_age, counts, history.age.size)
    shapes = r * n_age + np.bincount(history.of_age, counts * x[history.of_x], history.age.size)
    log_age, per_age = np.log(alpha + history.age), 1.0 / (alpha + history.age)
    waited = log_age[history.of_age] - np.log(alpha + history.last)[history.of_last]
    sooner = per_age[history.of_age] - (1.0 / (alpha + history.last))[history.of_last]
    left, shape = b + np.maximum(m, 1.0) - 1.0, (r + x)[history.of_x]
    # The log-odds of having dropped out; minus infinity before the first chance to.
    odds = np.where(m > 0, np.log(a) - np.log(left), -np.inf)[history.of_x] + shape * waited
    small = np.exp(-np.abs(odds))
    dropped = counts * np.where(odds >= 0, 1.0, small) / (1.0 + small)
    value = n @ (gammaln(r + x) + betaln(a, b + m)) + total * (r * np.log(alpha) - gammaln(r) - betaln(a, b))
    value += counts @ (np.maximum(odds, 0.0) + np.log1p(small)) - shapes @ log_age
    by_r = n @ digamma(r + x) + total * (np.log(alpha) - digamma(r)) + dropped @ waited - n_age @ log_age
    by_alpha = total * r / alpha - shapes @ per_age + dropped @ (shape * sooner)
    both = n @ digamma(a + b + m) - total * digamma(a + b)
    by_a = dropped.sum() / a - both
    by_b = n @ digamma(b + m) - total * digamma(b) - both - np.bincount(history.of_x, dropped, x.size) @ (1.0 / left)
    return float(value), parameters * np.array([by_r, by_alpha, by_a, by_b])


def gamma_gamma_loss(x: Floats, z: Floats) -> Objective:
    """Negative mean log-likelihood of Gamma-Gamma, without its constant terms, and its gradient by the logs."""
    distinct, n = np.unique(x, return_counts=True)
    spent = x * z
    log_sums = float(x @ np.log(spent))

    def loss(logs: Floats) -> tuple[float, Floats]:
        p, q, gamma = np.exp(logs)
        px, mixed = p * distinct, gamma + spent
        logs_mixed = np.log(mixed)
        by_x, in_all = float(x @ logs_mixed), float(logs_mixed.sum())
        value = n @ (gammaln(px + q) - gammaln(px)) + x.size * (q * logs[2] - gammaln(q))
        value += p * log_sums - p * by_x - q * in_all
        by_p = n @ (distinct * (digamma(px + q) - digamma(px))) + log_sums - by_x
        by_q = n @ digamma(px + q) + x.size * (logs[2] - digamma(q)) - in_all
        per = 1.0 / mixed
        by_gamma = x.size * q / gamma - p * float(x @ per) - q * float(per.sum())
        return -float(value) / x.size, -np.array([p * by_p, q * by_q, gamma * by_gamma]) / x.size

    return loss
