"""Recency x frequency cells: what customers like this one did in the last label window. The rung below a fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.btyd import Floats
from ml.params import Params

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cell:
    """Shrunk means of one cell over a label window of ``horizon`` days; ``day_amount``: what its customers had spent a
    purchase day before that window."""

    horizon: int
    recency_band: int
    frequency_band: int
    customers: int
    inactive_probability: float
    purchase_count: float
    net_amount: float
    day_amount: float


def cell_bands(frame: pd.DataFrame, cutoff: date, params: Params) -> tuple[Ints, Ints]:
    """Recency and frequency band of each customer, shape (n,): how many lower edges it has reached."""
    silent = (pd.Timestamp(cutoff) - frame["last_purchase_date"]).dt.days.to_numpy()
    recency = np.searchsorted(params.cell_recency_days, silent, side="right")
    return recency, np.searchsorted(params.cell_purchase_days, frame["purchase_days"].to_numpy(), side="right")


def day_amounts(frame: pd.DataFrame, overall: float, params: Params) -> Floats:
    """Expected net value of a customer's purchase day, shape (n,): (own sum + k overall) / (own days + k), ``overall``
    being the mean over all days of all customers. A sum below zero counts as nothing."""
    days, mean_amount = frame["purchase_days"].to_numpy(), frame["mean_day_amount"].to_numpy()
    k = params.value_shrinkage_days
    return np.asarray((days * np.maximum(mean_amount, 0.0) + k * max(overall, 0.0)) / (days + k), dtype=np.float64)


def learned_cells(
    before: pd.DataFrame, now: pd.DataFrame, cutoff: date, horizon: int, params: Params
) -> Iterator[Cell]:
    """Means of every cell over [cutoff - horizon, cutoff), shrunk to the global mean: (sum + k mean) / (n + k).

    ``before``: checked features as of the start of that window; ``now``: the same customers, in their order, as of the
    cut-off.
    """
    start = cutoff - timedelta(days=horizon)
    count = now["purchase_days"].to_numpy() - before["purchase_days"].to_numpy()
    amount = now["net_amount"].to_numpy() - before["net_amount"].to_numpy()
    overall = float(before["net_amount"].sum() / before["purchase_days"].sum())
    labels = np.stack([count == 0, count, amount, day_amounts(before, overall, params)])
    recency, frequency = cell_bands(before, start, params)
    k = params.cell_shrinkage_customers
    for r, f in product(range(len(params.cell_recency_days) + 1), range(len(params.cell_purchase_days) + 1)):
        inside = labels[:, (recency == r) & (frequency == f)]
        means = (inside.sum(axis=1) + k * labels.mean(axis=1)) / (inside.shape[1] + k)
        yield Cell(horizon, r, f, inside.shape[1], *(float(mean) for mean in means))
