"""Promises of resamples: a figure of one is that of its customers, each as often as it was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.evaluate import auc, normalised_gini
from ml.resamples import resampled, weighted_auc, weighted_ginis

# Rankings with many equals, and what came: amounts with cents, some of them below nothing by returns.
RANKED = st.lists(st.tuples(st.integers(0, 6), st.integers(-300, 90_000)), min_size=3, max_size=40)


@given(RANKED, st.integers(0, 2**32 - 1))
def test_a_figure_of_a_resample_is_that_of_the_customers_drawn(rows: list[tuple[int, int]], seed: int) -> None:
    ranking, value = np.array([row[0] for row in rows], dtype=np.float64), np.array([row[1] for row in rows]) / 100
    bought = (value > 0).astype(np.float64)
    (weights,) = resampled([[str(place) for place in range(len(rows))]], 4, seed)
    aucs, (ginis,) = weighted_auc(ranking, bought, weights), weighted_ginis([ranking], value, weights)
    for place, drawn in enumerate(weights):
        told, came = np.repeat(ranking, drawn), np.repeat(value, drawn)
        if 0 < (came > 0).sum() < len(came):
            assert aucs[place] == pytest.approx(auc(told, came > 0), abs=1e-9)
        if np.ptp(came) > 0:
            assert ginis[place] == pytest.approx(normalised_gini(told, came), abs=1e-6)


def test_where_everybody_spends_the_same_nothing_is_told_apart() -> None:
    ranking, value = np.arange(997.0), np.full(997, 0.1)
    (weights,) = resampled([[str(place) for place in range(997)]], 50, 1)
    (ginis,) = weighted_ginis([ranking], value, weights)
    assert (ginis == 0.0).all()
