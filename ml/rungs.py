"""What each rung below the champion answers: arrays of customers as of a cut-off. Which rung speaks is train.py's, and
what is told of its answer score.py's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.btyd import Floats, expected_amount, expected_purchases, next_purchase_days, p_no_purchase
from ml.cells import cell_bands, day_amounts
from ml.features import history_of
from ml.train import BaseModel

QUANTILES = {"next_purchase_p10_date": 0.1, "next_purchase_p50_date": 0.5, "next_purchase_p90_date": 0.9}
# Places of customers in an array: some of them, or all.
Rows = npt.NDArray[np.intp] | slice


class HorizonError(ValueError):
    """The model was not made for this horizon."""


@dataclass(frozen=True)
class Answer:
    """Arrays of shape (n,), and what is worked out when it is asked for: ``amount`` from the amounts of some of the
    customers and their places, shape (m,); ``days`` until the quantiles of the next purchase, shape (quantiles, n), NaN
    for none."""

    inactive: Floats
    count: Floats
    amount: Callable[[pd.DataFrame, Rows], Floats]
    days: Callable[[], Floats]


def by_btyd(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Answer:
    if model.btyd is None:
        raise ValueError("score: the model has no fitted base")
    btyd, history, longest = model.btyd, history_of(frame, cutoff), model.params.next_purchase_max_days
    count = expected_purchases(btyd, history, horizon)

    def amount(those: pd.DataFrame, rows: Rows) -> Floats:
        return np.asarray(count[rows] * _values(those, model))

    def days() -> Floats:
        return np.stack([next_purchase_days(btyd, history, quantile, longest) for quantile in QUANTILES.values()])

    return Answer(p_no_purchase(btyd, history, horizon), count, amount, days)


def _by_cells(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Answer:
    """The means of the customer's cell; the net amount in proportion to what the customer spends a purchase day."""
    cells = [cell for cell in model.cells if cell.horizon == horizon]
    if not cells:
        raise HorizonError(f"score: horizon {horizon}, expected one of {list(model.params.horizons)}")
    bands = (len(model.params.cell_recency_days) + 1, len(model.params.cell_purchase_days) + 1)
    means = np.empty((4, *bands))
    for cell in cells:
        answer = (cell.inactive_probability, cell.purchase_count, cell.net_amount, cell.day_amount)
        means[:, cell.recency_band, cell.frequency_band] = answer
    inactive, count, mean_amount, day_amount = means[:, *cell_bands(frame, cutoff, model.params)]

    def amount(those: pd.DataFrame, rows: Rows) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(day_amount[rows] > 0, _values(those, model) / day_amount[rows], 1.0)
        return np.asarray(mean_amount[rows] * share)

    return Answer(inactive, count, amount, partial(unknown, len(QUANTILES), len(frame)))


def _by_rate(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Answer:
    """One Poisson rate for all: P(no purchase within h) = exp(-rate h)."""
    count, ones = model.purchase_rate * horizon, np.ones(len(frame))
    amount, quantiles = count * model.mean_day_amount * ones, list(QUANTILES.values())

    def days() -> Floats:
        with np.errstate(divide="ignore"):
            return np.outer(-np.log1p(-np.array(quantiles)) / np.float64(model.purchase_rate), ones)

    return Answer(np.exp(-count) * ones, count * ones, lambda _, rows: np.asarray(amount[rows]), days)


def _by_nothing(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Answer:
    nothing = unknown(len(frame))
    days = partial(unknown, len(QUANTILES), len(frame))
    return Answer(nothing, nothing, lambda _, rows: np.asarray(nothing[rows]), days)


RUNGS: dict[str, Callable[[pd.DataFrame, BaseModel, date, int], Answer]] = {
    "btyd": by_btyd,
    "rfm_cells": _by_cells,
    "global_rate": _by_rate,
    "none": _by_nothing,
}


def unknown(*shape: int) -> Floats:
    return np.full(shape, np.nan)


def _values(frame: pd.DataFrame, model: BaseModel) -> Floats:
    """Expected net value of a future purchase day, shape (n,): Gamma-Gamma, else the customer's own mean, shrunk."""
    if model.gamma_gamma is None:
        return day_amounts(frame, model.mean_day_amount, model.params)
    days, mean_amount = frame["purchase_days"].to_numpy(), frame["mean_day_amount"].to_numpy()
    return expected_amount(model.gamma_gamma, days, mean_amount)
