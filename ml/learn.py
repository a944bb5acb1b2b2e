"""What a day learns: the model as of its cut-off, and how the same recipe would have done one horizon earlier.

Everything is read from one panel of features as of several cut-offs; outcomes are the difference of two of them, so
that no label reaches past the day's own cut-off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any

import pandas as pd

from ml.challenge import challenged, champion_cutoffs
from ml.evaluate import backtest
from ml.params import Params
from ml.train import BaseModel, checked_features, fit

# Of the sha256 in a version's name.
VERSION_DIGITS = 12


@dataclass(frozen=True)
class Backtest:
    """The model fitted one horizon before the cut-off, against what came: the figures of ``evaluate.backtest``, None
    where the outcomes define none, and its calibration table as rows."""

    horizon: int
    cutoff: date
    rung: str
    figures: Mapping[str, float | None]
    calibration: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class TrainedModel:
    """A model with the day that trained it, what was known then, and its back-tests, one a horizon where possible."""

    as_of_date: date
    known_at: datetime
    model: BaseModel
    backtests: tuple[Backtest, ...]

    def to_json(self) -> str:
        """Canonical, so that equal models have equal bytes."""
        content = {
            "as_of_date": self.as_of_date.isoformat(),
            "known_at": self.known_at.astimezone(UTC).isoformat(),
            "model": json.loads(self.model.to_json()),
            "backtests": [asdict(test) | {"cutoff": test.cutoff.isoformat()} for test in self.backtests],
        }
        return json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> TrainedModel:
        """The model that ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        content: dict[str, Any] = json.loads(text)
        tests = [test | {"cutoff": date.fromisoformat(test["cutoff"])} for test in content["backtests"]]
        return cls(
            as_of_date=date.fromisoformat(content["as_of_date"]),
            known_at=datetime.fromisoformat(content["known_at"]),
            model=BaseModel.from_json(json.dumps(content["model"])),
            backtests=tuple(Backtest(**test | {"calibration": tuple(test["calibration"])}) for test in tests),
        )

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def version(self) -> str:
        """The training day and the first digits of the sha256."""
        return f"{self.as_of_date}-{self.sha256[:VERSION_DIGITS]}"


def cutoffs(as_of_date: date, params: Params) -> list[date]:
    """The cut-offs whose features a day learns from: its own, the day after it, one and two horizons earlier, and what
    champions of the own one and of the back-test's look at."""
    own = as_of_date + timedelta(days=1)
    earlier = {own - timedelta(days=times * horizon) for horizon in params.horizons for times in (1, 2)}
    for horizon in params.horizons:
        for cutoff in (own, own - timedelta(days=horizon)):
            earlier |= champion_cutoffs(cutoff, horizon, params) - {own}
    return [own, *sorted(earlier, reverse=True)]


def learn(panel: pd.DataFrame, as_of_date: date, known_at: datetime, params: Params) -> TrainedModel:
    """The model of a day. ``panel``: cutoff_date and the columns of ``train.fit``, as of each of ``cutoffs``.

    Raises FeaturesError and LeakError as ``train.fit`` does.
    """
    own, *_ = cutoffs(as_of_date, params)
    dates = pd.to_datetime(panel["cutoff_date"]).dt.date
    known = {cutoff: panel[dates == cutoff].drop(columns="cutoff_date") for cutoff in cutoffs(as_of_date, params)}
    past = {horizon: known[own - timedelta(days=horizon)] for horizon in params.horizons}
    model = fit(known[own], own, params, past)
    for horizon in params.horizons:
        model = challenged(model, known, horizon)
    tests = [_backtest(known, own, horizon, params) for horizon in params.horizons if len(past[horizon])]
    return TrainedModel(as_of_date, known_at, model, tuple(tests))


def _backtest(known: Mapping[date, pd.DataFrame], own: date, horizon: int, params: Params) -> Backtest:
    """Fit one horizon before ``own`` on what had happened by then, and compare with the horizon that followed."""
    cutoff = own - timedelta(days=horizon)
    before, after = checked_features(known[cutoff], cutoff), checked_features(known[own], own)
    model = fit(
        before, cutoff, replace(params, horizons=(horizon,)), {horizon: known[cutoff - timedelta(days=horizon)]}
    )
    model = challenged(model, known, horizon)
    came = after.set_index("customer_id").reindex(before["customer_id"])
    outcomes = pd.DataFrame(
        {
            "customer_id": before["customer_id"],
            "purchase_count": came["purchase_days"].to_numpy() - before["purchase_days"],
            "net_amount": came["net_amount"].to_numpy() - before["net_amount"],
        }
    )
    figures, calibration = backtest(before, outcomes, model, horizon)
    rows = [{str(name): float(value) for name, value in row.items()} for row in calibration.to_dict("records")]
    finite = {name: value if isfinite(value) else None for name, value in figures.items()}
    return Backtest(horizon, cutoff, model.rung_of(horizon), finite, tuple(rows))
