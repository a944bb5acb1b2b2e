"""Clusters of customers by k-means on rank-scaled figures, and the numbers that they keep between comparisons.

Only a comparison imports this file: scikit-learn takes a second to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from ml.btyd import Floats
from ml.params import MethodsParams

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Partition:
    """``labels``: the cluster of each row, from 0; ``centres``: of each cluster, in ranks; the mean ``silhouette``."""

    labels: Ints
    centres: Floats
    silhouette: float


def rank_scaled(figures: pd.DataFrame) -> Floats:
    """Each figure as the share of customers below it, equal ones sharing theirs, shape (n, figures): 0 to 1, so that
    one large customer moves no centre and centres of different days can be compared."""
    return ((figures.rank() - 0.5) / len(figures)).to_numpy()


def partition(scaled: Floats, params: MethodsParams, count_before: int | None = None) -> Partition | None:
    """k-means with the number of clusters of the best silhouette; ``count_before`` stays where it comes near enough.

    None when there are fewer different customers than the fewest clusters.
    """
    different = len(np.unique(scaled, axis=0))
    # Evenly through the rows, which stand in the order of their ids.
    some = scaled[:: -(-len(scaled) // params.silhouette_customers)]
    found: dict[int, Partition] = {}
    for count in (count for count in params.cluster_counts if count < different):
        means = KMeans(count, n_init=params.cluster_starts, random_state=params.seed).fit(scaled)
        labels = means.predict(some)
        silhouette = float(silhouette_score(some, labels)) if 1 < len(np.unique(labels)) < len(some) else 0.0
        found[count] = Partition(means.labels_.astype(np.intp), means.cluster_centers_, silhouette)
    if not found:
        return None
    best = max(found.values(), key=lambda one: one.silhouette)
    before = found.get(count_before or 0, best)
    return before if before.silhouette >= best.silhouette - params.keep_count_within else best


def kept_numbers(
    before: Mapping[int, Mapping[str, float]], centres: Sequence[Mapping[str, float]], params: MethodsParams, last: int
) -> list[int]:
    """The number of each centre: that of the cluster ``before`` it is paired with, else the next after ``last``.

    Pairs have the least sum of squared distances, over the figures that both comparisons have; one further apart than
    ``match_distance`` is none.
    """
    names = sorted(set.intersection(*(set(centre) for centre in (*before.values(), *centres)))) if before else []
    known: dict[int, int] = {}
    if names:
        numbers = sorted(before)
        old = np.array([[before[number][name] for name in names] for number in numbers])
        new = np.array([[centre[name] for name in names] for centre in centres])
        squares = ((new[:, None, :] - old[None, :, :]) ** 2).mean(axis=2)
        for row, column in zip(*linear_sum_assignment(squares), strict=True):
            if squares[row, column] <= params.match_distance**2:
                known[int(row)] = numbers[int(column)]
    following = iter(range(last + 1, last + 1 + len(centres)))
    return [known[place] if place in known else next(following) for place in range(len(centres))]
