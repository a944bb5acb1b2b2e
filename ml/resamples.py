"""Customers drawn again and again, and how well a ranking does in each draw. Arrays in, arrays out, no verdict.

Customers are drawn whole, with all their cut-offs, since the rows of one customer are no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.btyd import Floats

Weights = npt.NDArray[np.int32]
# Resamples worked on at once, so that memory stays small.
AT_ONCE = 50
# What two ways of summing may differ by, as a share of the sum.
ROUNDING = 1e-12


def resampled(customers: Iterable[Sequence[str]], resamples: int, seed: int) -> list[Weights]:
    """How often each customer of a cut-off stands in each resample, shape (1 + resamples, n); all once in the first."""
    at = [pd.Index(found) for found in customers]
    everybody = pd.Index(sorted(set().union(*at)))
    random, size = np.random.default_rng(seed), len(everybody)
    drawn = [np.bincount(random.integers(0, size, size), minlength=size) for _ in range(resamples)]
    weights = np.array([np.ones(size), *drawn], dtype=np.int32)
    return [weights[:, everybody.get_indexer(index)] for index in at]


def weighted_auc(ranking: Floats, positive: Floats, weights: Weights) -> Floats:
    """P(a positive is ranked above a negative) in each resample, ties counting half; one half with one class.

    By mid-ranks, as Mann and Whitney have it: of the positives, less what they rank among themselves.
    """
    positives, everybody = _sums(positive, weights), _sums(np.ones(len(positive)), weights)
    pairs = positives * (everybody - positives)
    above = _by_mid_rank(ranking, positive, weights) - positives**2 / 2.0
    return np.asarray(np.divide(above, pairs, out=np.full(len(pairs), 0.5), where=pairs > 0))


def weighted_ginis(rankings: Sequence[Floats], value: Floats, weights: Weights) -> list[Floats]:
    """Of each ranking its order by value against a perfect one, in each resample: 0 is chance, 1 is perfect; 0 where
    nothing can be told apart."""
    chance = _sums(value, weights) * _sums(np.ones(len(value)), weights) / 2.0
    perfect = _by_mid_rank(value, value, weights) - chance
    is_told = perfect > ROUNDING * np.abs(chance)
    return [
        np.divide(_by_mid_rank(ranking, value, weights) - chance, perfect, out=np.zeros(len(perfect)), where=is_told)
        for ranking in rankings
    ]


def _sums(amount: Floats, weights: Weights) -> Floats:
    return np.asarray(weights.astype(np.float64) @ amount)


def _by_mid_rank(ranking: Floats, amount: Floats, weights: Weights) -> Floats:
    """Sum of amount x rank in each resample: the customers ranked lower, and half of those ranked alike, oneself among
    them."""
    order = np.argsort(ranking, kind="stable")
    is_last = np.r_[np.diff(ranking[order]) > 0, True]
    last, group = np.flatnonzero(is_last), is_last.cumsum() - is_last
    telling = np.flatnonzero(amount[order])
    sums = []
    for first in range(0, len(weights), AT_ONCE):
        drawn = weights[first : first + AT_ONCE][:, order]
        until = drawn.cumsum(axis=1, dtype=np.int32)[:, last]
        ranks = until - np.diff(until, axis=1, prepend=0) / 2.0
        sums.append((drawn[:, telling] * ranks[:, group[telling]]) @ amount[order[telling]])
    return np.concatenate(sums)
