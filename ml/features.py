"""Features of customers as of a cut-off: one row per customer, checked once, with what every model reads of them."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ml.btyd import Btyd, History, fit_btyd
from ml.champion import RECENT

DATES = ("first_purchase_date", "last_purchase_date")
AMOUNTS = ("net_amount", "mean_day_amount", "margin_amount", "costed_net_amount")
# Of the panel: the first purchase from its cut-off on, as far as it was known when the panel was made.
NEXT = "next_purchase_date"


class FeaturesError(ValueError):
    """The features are not one whole row per customer."""


class LeakError(FeaturesError):
    """Something from the cut-off on is known that must not be."""


class CheckedFeatures(pd.DataFrame):
    """What ``checked_features`` gives, and what is told of it once however often it is asked for: models of many
    horizons and cut-offs learn from the same features. Not to be changed; what is derived from it is a plain frame."""

    _metadata = ["cutoff", "_fitted"]  # noqa: RUF012  (where pandas keeps the attributes of a frame)

    def __init__(self, frame: pd.DataFrame, cutoff: date) -> None:
        super().__init__(frame)  # type: ignore[call-arg]  # the stubs make frames by __new__
        self.cutoff = cutoff
        self._fitted: dict[str, Btyd] = {}

    @cached_property
    def history(self) -> History:
        """Of its own cut-off."""
        return _history(self, self.cutoff)

    @cached_property
    def by_customer(self) -> pd.DataFrame:
        return self.set_index("customer_id")

    def fitted(self, model: str) -> Btyd:
        """As ``btyd.fit_btyd`` of the history."""
        if model not in self._fitted:
            self._fitted[model] = fit_btyd(self.history, model)
        return self._fitted[model]


def checked_features(features: pd.DataFrame, cutoff: date) -> CheckedFeatures:
    """The columns a model reads, typed, ordered by customer; a cost that is not known counts as nothing of known cost.
    Those of the cut-off that are checked already stay as they are.

    Raises FeaturesError for missing columns, repeated customers or impossible values, LeakError for a purchase on or
    after the cut-off.
    """
    if isinstance(features, CheckedFeatures) and features.cutoff == cutoff:
        return features
    columns = ("customer_id", *DATES, "purchase_days", *AMOUNTS)
    if missing := [name for name in columns if name not in features]:
        raise FeaturesError(f"features: columns {missing} are missing, expected {list(columns)}")
    recent = [name for name in RECENT if name in features]
    told = [name for name in (NEXT,) if name in features]
    frame = features[[*columns, *recent, *told]].sort_values("customer_id", ignore_index=True)
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    for name in ("purchase_days", *AMOUNTS, *recent):
        frame[name] = frame[name].astype(np.float64)
    is_costed = frame["costed_net_amount"].notna() & frame["margin_amount"].notna()
    frame[["margin_amount", "costed_net_amount"]] = frame[["margin_amount", "costed_net_amount"]].where(is_costed, 0.0)

    first, last, days = frame["first_purchase_date"], frame["last_purchase_date"], frame["purchase_days"]
    span = (last - first).dt.days
    is_missing = frame[[*columns, *recent]].isna().any(axis=1)
    is_infinite = np.isinf(frame[[*AMOUNTS, *recent]].to_numpy()).any(axis=1)
    refuse(frame, is_missing | is_infinite, "have missing or infinite values")
    refuse(frame, frame["customer_id"].duplicated(), "stand there twice")
    refuse(frame, last >= pd.Timestamp(cutoff), f"have a purchase on or after the cut-off {cutoff}", LeakError)
    refuse(frame, (days < 1) | (days > span + 1) | ((days == 1) != (span == 0)), "have dates unlike their days")
    return CheckedFeatures(frame, cutoff)


def history_of(frame: pd.DataFrame, cutoff: date) -> History:
    """Sufficient statistics in days of checked features."""
    if isinstance(frame, CheckedFeatures) and frame.cutoff == cutoff:
        return frame.history
    return _history(frame, cutoff)


def refuse(frame: pd.DataFrame, wrong: Any, what: str, error: type[FeaturesError] = FeaturesError) -> None:
    """Raise when any row is wrong, naming the first few customers."""
    if found := frame.loc[wrong, "customer_id"].head(3).tolist():
        raise error(f"features: {int(wrong.sum())} customers {what}, such as {found}")


def _history(frame: pd.DataFrame, cutoff: date) -> History:
    first = frame["first_purchase_date"]
    recency = (frame["last_purchase_date"] - first).dt.days.to_numpy().astype(np.float64)
    age = (pd.Timestamp(cutoff) - first).dt.days.to_numpy().astype(np.float64)
    return History(frame["purchase_days"].to_numpy() - 1.0, recency, age)
