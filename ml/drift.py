"""Whether those who are scored are still those a model was learned for, and whether what it said has come.

References are made on the training day and kept in the model's document; what a day has is held to them. Arrays and
figures in, figures out; whether a figure is within bounds is a check of the release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml.btyd import Floats
from ml.champion import INPUT_GROUPS, RECENT, Expected, inputs_of
from ml.features import checked_features, history_of
from ml.grade import Judged
from ml.params import DRIFT, PARAMS, load_part
from ml.score import base_expects, outlook
from ml.train import BaseModel

# What the base says is known only where one was fitted.
OF_BASE = 3
SCORE = "inactive_probability"
# Added to the customers of each bin, so that an empty one has a logarithm.
HALF = 0.5
DIGITS = 6


@dataclass(frozen=True)
class DriftParams:
    """The part ``drift``; what each stands for is said in ``params.yml``."""

    bins: int
    min_customers: int
    warn_psi: float
    alarm_psi: float
    realised_limit: float


@dataclass(frozen=True)
class Reference:
    """How a measure, an input or the score, lay on the training day: customers by bin, ``edges`` between them."""

    horizon: int
    measure: str
    edges: tuple[float, ...]
    customers: tuple[int, ...]


@dataclass(frozen=True)
class Realised:
    """What the model in use on the day before a past cut-off had said of the horizon after it, and what came."""

    horizon: int
    cutoff: str
    version: str
    predicted: Mapping[str, float]
    came: Mapping[str, float]

    def ratios(self) -> dict[str, float]:
        """Predicted / came, of what came at all and was predicted at all."""
        return {
            name: self.predicted[name] / came for name, came in self.came.items() if came > 0 < self.predicted[name]
        }

    def off(self) -> dict[str, float]:
        """|log| of the ratios."""
        return {name: abs(log(ratio)) for name, ratio in self.ratios().items()}


def load_drift_params(path: Path = PARAMS) -> DriftParams:
    """The part ``drift`` of a file. Raises ParamsError as ``params.load_params`` does."""
    return load_part(DRIFT, DriftParams, path)


def references(model: BaseModel, features: pd.DataFrame, given: DriftParams) -> tuple[Reference, ...]:
    """Of the customers that a model was trained on, in as many bins of equal count as their values allow."""
    found = []
    steps = np.arange(1, given.bins) / given.bins
    for horizon in model.params.horizons:
        for measure, values in _measures(model, features, model.cutoff, horizon):
            edges = np.unique(np.quantile(values, steps))
            found.append(Reference(horizon, measure, tuple(edges.tolist()), tuple(_counts(values, edges))))
    return tuple(found)


def drifted(
    model: BaseModel, kept: Sequence[Reference], features: pd.DataFrame, cutoff: date, given: DriftParams
) -> dict[tuple[int, str], float]:
    """The PSI of each measure by horizon; nothing where customers are too few, then or now, to speak of shares."""
    if len(features) < given.min_customers:
        return {}
    found = {}
    by_place = {(one.horizon, one.measure): one for one in kept if sum(one.customers) >= given.min_customers}
    for horizon in model.params.horizons:
        for measure, values in _measures(model, features, cutoff, horizon):
            if reference := by_place.get((horizon, measure)):
                found[horizon, measure] = psi(reference.customers, _counts(values, np.array(reference.edges)))
    return found


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of customers by bin: sum of (share now - share then) x log of their ratio."""
    was, found = ((np.array(one) + HALF) / (sum(one) + HALF * len(one)) for one in (before, now))
    return round(float(((found - was) * np.log(found / was)).sum()), DIGITS)


def realised(judged: Judged, horizon: int, version: str) -> Realised:
    """Of a model that was judged as it stood, where it had not seen what came."""
    said = {"buyers": 1.0 - judged.inactive, "count": judged.expected_count, "value": judged.expected_value}
    came = {"buyers": judged.count > 0, "count": judged.count, "value": judged.value}
    totals = [{name: round(float(one.sum()), DIGITS) for name, one in both.items()} for both in (said, came)]
    return Realised(horizon, judged.cutoff.isoformat(), version, *totals)


def reference_of(content: Mapping[str, Any]) -> Reference:
    """Of a mapping, as ``dataclasses.asdict`` and JSON made it."""
    return Reference(**dict(content) | {name: tuple(content[name]) for name in ("edges", "customers")})


def _measures(model: BaseModel, features: pd.DataFrame, cutoff: date, horizon: int) -> Iterator[tuple[str, Floats]]:
    """The inputs that can be told of these customers, and the score that speaks; neither of nobody."""
    if not len(features) or model.rung_of(horizon) == "none":
        return
    frame = checked_features(features, cutoff)
    nothing, is_based = np.zeros(len(frame)), model.btyd is not None
    if set(RECENT) <= set(frame):
        base = base_expects(frame, model, cutoff, horizon) if is_based else Expected(nothing, nothing, nothing)
        inputs = inputs_of(frame, history_of(frame, cutoff), base)
        for place, name in enumerate(INPUT_GROUPS):
            if is_based or place >= OF_BASE:
                yield name, inputs[:, place]
    yield SCORE, outlook(features, model, cutoff, horizon).expects(frame, slice(None))[0]


def _counts(values: Floats, edges: Floats) -> list[int]:
    """Customers by bin; a value on an edge is in the bin above it."""
    found: list[int] = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).tolist()
    return found
