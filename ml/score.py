"""A fitted model and features as of a cut-off → scores per customer and horizon. Reads no file and no clock.

Each rung answers with the same columns and one curve: the probability of no purchase within H and the dates of the next
purchase are read from the same distribution, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ml.btyd import Floats, History, next_purchase_days
from ml.champion import RECENT, Champion, Expected, expected_by, inputs_of, next_days
from ml.curve import dates_of, days_within, shares_of
from ml.features import FeaturesError, LeakError, checked_features, history_of
from ml.rungs import QUANTILES, RUNGS, Answer, Rows, by_btyd, unknown
from ml.train import BaseModel

PROBABILITY_DIGITS, COUNT_DIGITS, AMOUNT_DIGITS = 6, 4, 4


@dataclass(frozen=True)
class Outlook:
    """What a model would say in one horizon if customers had bought on these days, for whatever amounts.

    ``given``: the base that the champion stands on; without a champion, the rung that speaks. ``shorter``: the same of
    the model's next shorter horizon. Horizons are learned apart and may cross; what is expected within the shorter one
    is expected within this one, too.
    """

    model: BaseModel
    rung: str
    base: Answer
    given: Answer
    champion: Champion | None
    history: History
    shorter: Outlook | None = None

    def expects(self, frame: pd.DataFrame, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """P(inactive), purchases and net value of the customers at these places, shape (m,). ``frame``: purchase_days
        and the amounts of theirs, with a champion also the features of ``champion.RECENT``, else FeaturesError."""
        inactive, count, value = self.alone(frame, rows)
        if self.shorter is None:
            return inactive, count, value
        within = self.shorter.expects(frame, rows)
        return np.minimum(inactive, within[0]), np.maximum(count, within[1]), np.maximum(value, within[2])

    def alone(self, frame: pd.DataFrame, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """As ``expects``, as if no shorter horizon were known."""
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
        if self.champion is None and (self.shorter is None or self.rung != "btyd"):
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
            return unknown(len(inactive))
        if self.champion is None and self.shorter is None:
            return next_purchase_days(btyd, self.history, quantile, longest)
        base, activity = 1.0 - self.given.inactive, 1.0 - inactive
        days = next_days(btyd, self.history, base, activity, quantile=quantile, longest=longest)
        if shares is None or self.champion is None:
            return days
        return days_within(shares, self.champion.horizon, activity, quantile, days)

    def _history(self, rows: Rows) -> History:
        return History(self.history.repeats[rows], self.history.recency[rows], self.history.age[rows])


def score(features: pd.DataFrame, model: BaseModel, cutoff: date, horizons: Sequence[int]) -> pd.DataFrame:
    """One row per customer and horizon, in their order, whatever the order of ``features`` (columns as in train.fit);
    of no customer less is expected within more days.

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
    every = outlooks(frame, model, cutoff, horizons)
    for part, horizon in zip(parts, horizons, strict=True):
        looks = every[horizon]
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
    return outlooks(checked_features(features, cutoff), model, cutoff, [horizon])[horizon]


def base_expects(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int) -> Expected:
    """What a fitted base expects of checked features, whatever rung it speaks on."""
    answer = by_btyd(frame, model, cutoff, horizon)
    return Expected(1.0 - answer.inactive, answer.count, answer.amount(frame, slice(None)))


def purchase_days_at(
    frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int, *, quantile: Floats, longest: float
) -> Floats:
    """``Outlook.days_at`` of customers as they are; ``frame``: their checked features."""
    looks = outlooks(frame, model, cutoff, [horizon])[horizon]
    inactive, _, _ = looks.expects(frame, slice(None))
    return looks.days_at(inactive, quantile, longest, looks.shares(frame))


def outlooks(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizons: Sequence[int]) -> dict[int, Outlook]:
    """By horizon, of checked features. A horizon that the model was not made for stands alone."""
    found: dict[int, Outlook] = {}
    shorter: Outlook | None = None
    for horizon in model.params.horizons:
        if horizon <= max((one for one in horizons if one in model.params.horizons), default=0):
            found[horizon] = shorter = _outlook(frame, model, cutoff, horizon, shorter)
    return found | {one: _outlook(frame, model, cutoff, one, None) for one in horizons if one not in found}


def _outlook(frame: pd.DataFrame, model: BaseModel, cutoff: date, horizon: int, shorter: Outlook | None) -> Outlook:
    base, champion = RUNGS[model.base_rung_of(horizon)](frame, model, cutoff, horizon), model.champion_of(horizon)
    # A base at a bound of its fit speaks by cells, but the champion learned from its curves.
    given = base if champion is None or model.rung == "btyd" else by_btyd(frame, model, cutoff, horizon)
    return Outlook(model, model.rung_of(horizon), base, given, champion, history_of(frame, cutoff), shorter)


def _margin_rates(frame: pd.DataFrame, model: BaseModel) -> Floats:
    """(margin + K overall) / (costed net + K), shape (n,), K being some purchase days of mean value; NaN without costs.

    A customer whose costed net is not positive (all of it returned) has no rate of his own.
    """
    if model.margin_rate is None:
        return unknown(len(frame))
    weight = model.params.margin_shrinkage_days * max(model.mean_day_amount, 0.0)
    costed, margin = frame["costed_net_amount"].to_numpy(), frame["margin_amount"].to_numpy()
    own = costed > 0
    return np.where(
        own, (margin + weight * model.margin_rate) / (np.where(own, costed, 1.0) + weight), model.margin_rate
    )
