"""A fitted model and features as of a cut-off → scores per customer and horizon. Reads no file and no clock.

Each rung answers with the same columns and one curve: the probability of no purchase within H and the dates of the next
purchase are read from the same distribution, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ml.btyd import Floats, expected_amount, expected_purchases, next_purchase_days, p_no_purchase
from ml.cells import cell_bands, day_amounts
from ml.champion import RECENT, Expected, expected_by, inputs_of, next_days
from ml.train import BaseModel, FeaturesError, LeakError, checked_features, history_of

QUANTILES = {"next_purchase_p10_date": 0.1, "next_purchase_p50_date": 0.5, "next_purchase_p90_date": 0.9}
PROBABILITY_DIGITS, COUNT_DIGITS, AMOUNT_DIGITS = 6, 4, 4


class HorizonError(ValueError):
    """The model was not made for this horizon."""


@dataclass(frozen=True)
class _Answer:
    """Arrays of shape (n,); ``days`` until the quantiles of the next purchase, shape (quantiles, n), NaN for none."""

    inactive: Floats
    count: Floats
    amount: Floats
    days: Floats


def score(features: pd.DataFrame, model: BaseModel, cutoff: date, horizons: Sequence[int]) -> pd.DataFrame:
    """One row per customer and horizon, in their order, whatever the order of ``features`` (columns as in train.fit).

    inactive_probability: of no purchase in [cutoff, cutoff + horizon); expected_purchase_count, expected_net_amount in
    that window; potential_margin_amount: net x the customer's margin rate, null when no cost is known at all;
    next_purchase_p10/p50/p90_date: first day by whose end a purchase has that probability, null past the longest
    horizon of the model's parameters and where a rung has no such curve (cells); base_*: what the base alone says.
    Raises FeaturesError, LeakError when the features or the model know something from the cut-off on, HorizonError when
    cells lack a horizon.
    """
    if model.cutoff > cutoff:
        raise LeakError(f"score: the model knows purchases up to {model.cutoff}, expected none from {cutoff} on")
    frame = checked_features(features, cutoff)
    margin_rate = _margin_rates(frame, model)
    parts = [frame[["customer_id"]].assign(horizon_days=horizon) for horizon in horizons]
    for part, horizon in zip(parts, horizons, strict=True):
        base = RUNGS[model.rung](frame, model, cutoff, horizon)
        answer = _by_champion(frame, model, cutoff, horizon, base)
        part["inactive_probability"] = answer.inactive.round(PROBABILITY_DIGITS)
        part["expected_purchase_count"] = answer.count.round(COUNT_DIGITS)
        part["expected_net_amount"] = answer.amount.round(AMOUNT_DIGITS)
        part["potential_margin_amount"] = (answer.amount * margin_rate).round(AMOUNT_DIGITS)
        for name, days in zip(QUANTILES, answer.days, strict=True):
            part[name] = _dates(days, cutoff, model.params.next_purchase_max_days)
        part["base_inactive_probability"] = base.inactive.round(PROBABILITY_DIGITS)
        part["base_expected_purchase_count"] = base.count.round(COUNT_DIGITS)
        part["base_expected_net_amount"] = base.amount.round(AMOUNT_DIGITS)
        part["rung"], part["reason"] = model.rung_of(horizon), model.reason
    return pd.concat(parts).sort_values(["customer_id", "horizon_days"], ignore_index=True)


def base_expects(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Expected:
    """What a fitted base expects of checked features, whatever rung it speaks on."""
    answer = _by_btyd(frame, model, cutoff, horizon)
    return Expected(1.0 - answer.inactive, answer.count, answer.amount)


def purchase_days_at(
    frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int, *, quantile: Floats, longest: float
) -> Floats:
    """Days until the next purchase has probability ``quantile``, shape (n,), by the curve that the horizon's score is
    read from: NaN past ``longest``, and for a rung without a curve of each customer."""
    history, champion = history_of(frame, cutoff), model.champion_of(horizon)
    if model.btyd is None or (champion is None and model.rung != "btyd"):
        return _unknown(len(frame))
    if champion is None:
        return next_purchase_days(model.btyd, history, quantile, longest)
    base = base_expects(frame, model, cutoff, horizon)
    activity = expected_by(champion, inputs_of(frame, history, base)).activity
    return next_days(model.btyd, history, base.activity, activity, quantile=quantile, longest=longest)


def _by_champion(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int, base: _Answer) -> _Answer:
    """The champion's answer, or the base's where the horizon has none."""
    champion = model.champion_of(horizon)
    if champion is None or model.btyd is None:
        return base
    if missing := [name for name in RECENT if name not in frame]:
        raise FeaturesError(f"features: columns {missing} are missing, which the model was learned from")
    # A base at a bound of its fit speaks by cells, but the champion learned from its curves.
    given = base if model.rung == "btyd" else _by_btyd(frame, model, cutoff, horizon)
    history, by_base = history_of(frame, cutoff), Expected(1.0 - given.inactive, given.count, given.amount)
    found = expected_by(champion, inputs_of(frame, history, by_base))
    longest = model.params.next_purchase_max_days
    days = [
        next_days(model.btyd, history, by_base.activity, found.activity, quantile=quantile, longest=longest)
        for quantile in QUANTILES.values()
    ]
    return _Answer(1.0 - found.activity, found.count, found.value, np.stack(days))


def _by_btyd(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    if model.btyd is None:
        raise ValueError("score: the model has no fitted base")
    btyd, history, longest = model.btyd, history_of(frame, cutoff), model.params.next_purchase_max_days
    count = expected_purchases(btyd, history, horizon)
    days = [next_purchase_days(btyd, history, quantile, longest) for quantile in QUANTILES.values()]
    return _Answer(p_no_purchase(btyd, history, horizon), count, count * _values(frame, model), np.stack(days))


def _by_cells(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    """The means of the customer's cell; the net amount in proportion to what the customer spends a purchase day."""
    cells = [cell for cell in model.cells if cell.horizon == horizon]
    if not cells:
        raise HorizonError(f"score: horizon {horizon}, expected one of {list(model.params.horizons)}")
    bands = (len(model.params.cell_recency_days) + 1, len(model.params.cell_purchase_days) + 1)
    means = np.empty((4, *bands))
    for cell in cells:
        answer = (cell.inactive_probability, cell.purchase_count, cell.net_amount, cell.day_amount)
        means[:, cell.recency_band, cell.frequency_band] = answer
    inactive, count, amount, day_amount = means[:, *cell_bands(frame, cutoff, model.params)]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(day_amount > 0, _values(frame, model) / day_amount, 1.0)
    return _Answer(inactive, count, amount * share, _unknown(len(QUANTILES), len(frame)))


def _by_rate(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    """One Poisson rate for all: P(no purchase within h) = exp(-rate h)."""
    count, ones = model.purchase_rate * horizon, np.ones(len(frame))
    with np.errstate(divide="ignore"):
        days = np.outer(
            -np.log1p([-quantile for quantile in QUANTILES.values()]) / np.float64(model.purchase_rate), ones
        )
    return _Answer(np.exp(-count) * ones, count * ones, count * model.mean_day_amount * ones, days)


def _by_nothing(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    unknown = _unknown(len(frame))
    return _Answer(unknown, unknown, unknown, _unknown(len(QUANTILES), len(frame)))


RUNGS: dict[str, Callable[[pd.DataFrame, BaseModel, date, int], _Answer]] = {
    "btyd": _by_btyd,
    "rfm_cells": _by_cells,
    "global_rate": _by_rate,
    "none": _by_nothing,
}


def _unknown(*shape: int) -> Floats:
    return np.full(shape, np.nan)


def _values(frame: pd.DataFrame, model: BaseModel) -> Floats:
    """Expected net value of a future purchase day, shape (n,): Gamma-Gamma, else the customer's own mean, shrunk."""
    if model.gamma_gamma is None:
        return day_amounts(frame, model.mean_day_amount, model.params)
    days, mean_amount = frame["purchase_days"].to_numpy(), frame["mean_day_amount"].to_numpy()
    return expected_amount(model.gamma_gamma, days, mean_amount)


def _margin_rates(frame: pd.DataFrame, model: BaseModel) -> Floats:
    """(margin + K overall) / (costed net + K), shape (n,), K being some purchase days of mean value; NaN without costs.

    A customer whose costed net is not positive (all of it returned) has no rate of his own.
    """
    if model.margin_rate is None:
        return _unknown(len(frame))
    weight = model.params.margin_shrinkage_days * max(model.mean_day_amount, 0.0)
    costed, margin = frame["costed_net_amount"].to_numpy(), frame["margin_amount"].to_numpy()
    own = costed > 0
    return np.where(
        own, (margin + weight * model.margin_rate) / (np.where(own, costed, 1.0) + weight), model.margin_rate
    )


def _dates(days: Floats, cutoff: date, longest: int) -> pd.Series[pd.Timestamp]:
    """The day that holds each moment: (n - 1, n] days after the cut-off is the n-th day, the cut-off itself the 1st."""
    whole = np.ceil(np.where(days <= longest, days, np.nan).round(6)) - 1.0
    return pd.Timestamp(cutoff) + pd.Series(pd.to_timedelta(np.maximum(whole, 0.0), unit="D"))
