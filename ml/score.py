"""A fitted model and features as of a cut-off → scores per customer and horizon. Reads no file and no clock.

Each rung answers with the same columns and one curve: the probability of no purchase within H and the dates of the next
purchase are read from the same distribution, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.btyd import Floats, History, expected_amount, expected_purchases, next_purchase_days, p_no_purchase
from ml.cells import cell_bands, day_amounts
from ml.champion import RECENT, Champion, Expected, expected_by, inputs_of, next_days
from ml.curve import dates_of, days_within, shares_of
from ml.train import BaseModel, FeaturesError, LeakError, checked_features, history_of

QUANTILES = {"next_purchase_p10_date": 0.1, "next_purchase_p50_date": 0.5, "next_purchase_p90_date": 0.9}
# Places of customers in an array: some of them, or all.
Rows = npt.NDArray[np.intp] | slice
PROBABILITY_DIGITS, COUNT_DIGITS, AMOUNT_DIGITS = 6, 4, 4


class HorizonError(ValueError):
    """The model was not made for this horizon."""


@dataclass(frozen=True)
class _Answer:
    """Arrays of shape (n,), and what is worked out when it is asked for: ``amount`` from the amounts of some of the
    customers and their places, shape (m,); ``days`` until the quantiles of the next purchase, shape (quantiles, n), NaN
    for none."""

    inactive: Floats
    count: Floats
    amount: Callable[[pd.DataFrame, Rows], Floats]
    days: Callable[[], Floats]


@dataclass(frozen=True)
class Outlook:
    """What a model would say in one horizon if customers had bought on these days, for whatever amounts.

    ``given``: the base that the champion stands on; without a champion, the rung that speaks.
    """

    model: BaseModel
    rung: str
    base: _Answer
    given: _Answer
    champion: Champion | None
    history: History

    def expects(self, frame: pd.DataFrame, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """P(inactive), purchases and net value of the customers at these places, shape (m,). ``frame``: purchase_days
        and the amounts of theirs, with a champion also the features of ``champion.RECENT``, else FeaturesError."""
        if self.champion is None:
            return self.base.inactive[rows], self.base.count[rows], self.base.amount(frame, rows)
        if missing := [name for name in RECENT if name not in frame]:
            raise FeaturesError(f"features: columns {missing} are missing, which the model was learned from")
        found = expected_by(self.champion, inputs_of(frame, self._history(rows), self.by_base(frame, rows)))
        return 1.0 - found.activity, found.count, found.value

    def by_base(self, frame: pd.DataFrame, rows: Rows) -> Expected:
        return Expected(1.0 - self.given.inactive[rows], self.given.count[rows], self.given.amount(frame, rows))

    def potential_margin(self, frame: pd.DataFrame, amount: Floats) -> Floats:
        """Of a net value that is expected of customers of these amounts."""
        return np.asarray((amount * _margin_rates(frame, self.model)).round(AMOUNT_DIGITS))

    def days(self, frame: pd.DataFrame, inactive: Floats) -> Floats:
        """Until the quantiles of the next purchase, shape (quantiles, n), of all customers."""
        if self.champion is None:
            return self.base.days()
        longest, shares = self.model.params.next_purchase_max_days, self.shares(frame)
        return np.stack([self.days_at(inactive, quantile, longest, shares) for quantile in QUANTILES.values()])

    def shares(self, frame: pd.DataFrame) -> Floats | None:
        """How who comes within the horizon is spread over it, of all customers; None where the base's curve says it."""
        if self.champion is None or self.champion.curve is None:
            return None
        return shares_of(self.champion.curve, inputs_of(frame, self.history, self.by_base(frame, slice(None))))

    def days_at(self, inactive: Floats, quantile: float | Floats, longest: float, shares: Floats | None) -> Floats:
        """Until the next purchase has probability ``quantile``, shape (n,), by the curve that the score is read from:
        NaN past ``longest``, and for a rung without a curve of each customer."""
        btyd = self.model.btyd
        if btyd is None or (self.champion is None and self.rung != "btyd"):
            return _unknown(len(inactive))
        if self.champion is None:
            return next_purchase_days(btyd, self.history, quantile, longest)
        base, activity = 1.0 - self.given.inactive, 1.0 - inactive
        days = next_days(btyd, self.history, base, activity, quantile=quantile, longest=longest)
        return days if shares is None else days_within(shares, self.champion.horizon, activity, quantile, days)

    def _history(self, rows: Rows) -> History:
        return History(self.history.repeats[rows], self.history.recency[rows], self.history.age[rows])


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
    parts = [frame[["customer_id"]].assign(horizon_days=horizon) for horizon in horizons]
    for part, horizon in zip(parts, horizons, strict=True):
        looks = _outlook(frame, model, cutoff, horizon)
        inactive, count, amount = looks.expects(frame, slice(None))
        part["inactive_probability"] = inactive.round(PROBABILITY_DIGITS)
        part["expected_purchase_count"] = count.round(COUNT_DIGITS)
        part["expected_net_amount"] = amount.round(AMOUNT_DIGITS)
        part["potential_margin_amount"] = looks.potential_margin(frame, amount)
        for name, days in zip(QUANTILES, looks.days(frame, inactive), strict=True):
            part[name] = dates_of(days, cutoff, model.params.next_purchase_max_days)
        base = looks.base
        part["base_inactive_probability"] = base.inactive.round(PROBABILITY_DIGITS)
        part["base_expected_purchase_count"] = base.count.round(COUNT_DIGITS)
        part["base_expected_net_amount"] = base.amount(frame, slice(None)).round(AMOUNT_DIGITS)
        part["rung"], part["reason"] = model.rung_of(horizon), model.reason
    return pd.concat(parts).sort_values(["customer_id", "horizon_days"], ignore_index=True)


def outlook(features: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Outlook:
    """As ``score``, of customers in the order of their ids, with the amounts left open."""
    return _outlook(checked_features(features, cutoff), model, cutoff, horizon)


def base_expects(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Expected:
    """What a fitted base expects of checked features, whatever rung it speaks on."""
    answer = _by_btyd(frame, model, cutoff, horizon)
    return Expected(1.0 - answer.inactive, answer.count, answer.amount(frame, slice(None)))


def purchase_days_at(
    frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int, *, quantile: Floats, longest: float
) -> Floats:
    """``Outlook.days_at`` of customers as they are; ``frame``: their checked features."""
    looks = _outlook(frame, model, cutoff, horizon)
    inactive, _, _ = looks.expects(frame, slice(None))
    return looks.days_at(inactive, quantile, longest, looks.shares(frame))


def _outlook(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Outlook:
    base, champion = RUNGS[model.base_rung_of(horizon)](frame, model, cutoff, horizon), model.champion_of(horizon)
    # A base at a bound of its fit speaks by cells, but the champion learned from its curves.
    given = base if champion is None or model.rung == "btyd" else _by_btyd(frame, model, cutoff, horizon)
    return Outlook(model, model.rung_of(horizon), base, given, champion, history_of(frame, cutoff))


def _by_btyd(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    if model.btyd is None:
        raise ValueError("score: the model has no fitted base")
    btyd, history, longest = model.btyd, history_of(frame, cutoff), model.params.next_purchase_max_days
    count = expected_purchases(btyd, history, horizon)

    def amount(those: pd.DataFrame, rows: Rows) -> Floats:
        return np.asarray(count[rows] * _values(those, model))

    def days() -> Floats:
        return np.stack([next_purchase_days(btyd, history, quantile, longest) for quantile in QUANTILES.values()])

    return _Answer(p_no_purchase(btyd, history, horizon), count, amount, days)


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
    inactive, count, mean_amount, day_amount = means[:, *cell_bands(frame, cutoff, model.params)]

    def amount(those: pd.DataFrame, rows: Rows) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(day_amount[rows] > 0, _values(those, model) / day_amount[rows], 1.0)
        return np.asarray(mean_amount[rows] * share)

    return _Answer(inactive, count, amount, partial(_unknown, len(QUANTILES), len(frame)))


def _by_rate(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    """One Poisson rate for all: P(no purchase within h) = exp(-rate h)."""
    count, ones = model.purchase_rate * horizon, np.ones(len(frame))
    amount, quantiles = count * model.mean_day_amount * ones, list(QUANTILES.values())

    def days() -> Floats:
        with np.errstate(divide="ignore"):
            return np.outer(-np.log1p(-np.array(quantiles)) / np.float64(model.purchase_rate), ones)

    return _Answer(np.exp(-count) * ones, count * ones, lambda _, rows: np.asarray(amount[rows]), days)


def _by_nothing(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> _Answer:
    unknown = _unknown(len(frame))
    days = partial(_unknown, len(QUANTILES), len(frame))
    return _Answer(unknown, unknown, lambda _, rows: np.asarray(unknown[rows]), days)


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
