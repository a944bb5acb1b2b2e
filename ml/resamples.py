"""Customers drawn again and again, and how well a ranking does in each draw. Arrays in, arrays out, no verdict.

Customers are drawn whole, with all their cut-offs, since the rows of one customer are no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.btyd import Floats

Weights = npt.NDArray[np.float32]
# Resamples worked on at once, so that memory stays small.
AT_ONCE = 50


def resampled(customers: Iterable[Sequence[str]], resamples: int, seed: int) -> list[Weights]:
    """How often each customer of a cut-off stands in each resample, shape (1 + resamples, n); all once in the first."""
    at = [pd.Index(found) for found in customers]
    everybody = pd.Index(sorted(set().union(*at)))
    random, size = np.random.default_rng(seed), len(everybody)
    drawn = [np.bincount(random.integers(0, size, size), minlength=size) for _ in range(resamples)]
    weights = np.array([np.ones(size), *drawn], dtype=np.float32)
    return [weights[:, everybody.get_indexer(index)] for index in at]


def weighted_auc(ranking: Floats, positive: Floats, weights: Weights) -> Floats:
    """P(a positive is ranked above a negative) in each resample, ties counting half; one half with one class."""
    hits, others = _held(ranking, positive, weights), _held(ranking, 1.0 - positive, weights)
    below = others.cumsum(axis=1) - others / 2.0
    pairs = hits.sum(axis=1) * others.sum(axis=1)
    agreeing = (hits * below).sum(axis=1)
    return np.asarray(np.divide(agreeing, pairs, out=np.full(len(pairs), 0.5), where=pairs > 0))


def weighted_ginis(rankings: Sequence[Floats], value: Floats, weights: Weights) -> list[Floats]:
    """Of each ranking its order by value against a perfect one, in each resample: 0 is chance, 1 is perfect; 0 where
    nothing can be told apart."""
    perfect = _area(value, value, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [np.where(perfect > 0, _area(ranking, value, weights) / perfect, 0.0) for ranking in rankings]


def _area(ranking: Floats, value: Floats, weights: Weights) -> Floats:
    """Area between the diagonal and the values held, highest ranked first, times both sums, in each resample."""
    customers, held = _held(-ranking, np.ones(len(ranking)), weights), _held(-ranking, value, weights)
    below = held.cumsum(axis=1) - held / 2.0
    return np.asarray((below * customers).sum(axis=1) - held.sum(axis=1) * customers.sum(axis=1) / 2.0)


def _held(ranking: Floats, amount: Floats, weights: Weights) -> Floats:
    """Sums of the weighted amounts of customers ranked alike, lowest first, shape (resamples, groups)."""
    order = np.argsort(ranking, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(ranking[order]) > 0])
    parts = [
        np.add.reduceat(weights[first : first + AT_ONCE][:, order] * amount[order], starts, axis=1)
        for first in range(0, len(weights), AT_ONCE)
    ]
    return np.concatenate(parts)
