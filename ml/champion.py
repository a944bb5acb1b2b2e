"""Additive scores over the base: of buying at all, of purchases and of their net value within a horizon.

Each is one GLM on thirteen inputs, three of which are what the base model says itself. How the models are learned from
the past is challenge.py's; here is what they hold, what they answer and why.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from ml.btyd import Btyd, Floats, History, next_purchase_days
from ml.glm import Glm

# What the base says is kept within, so that its log-odds and logs are finite.
LEAST = 1e-6
# The features beyond those of the base.
RECENT = ("newest_days_amount", "purchase_days_28d", "purchase_days_91d", "net_amount_28d", "net_amount_91d")
# Inputs in their order, by the group that they are shown in: the first three trade signs among themselves.
INPUT_GROUPS = {
    "base_activity": "buying rhythm",
    "base_count": "buying rhythm",
    "base_value": "buying rhythm",
    "silent_days": "days since the last purchase",
    "purchase_days": "purchase days",
    "purchase_days_28d": "purchase days in 28 days",
    "purchase_days_91d": "purchase days in 91 days",
    "net_amount_28d": "net amount in 28 days",
    "net_amount_91d": "net amount in 91 days",
    "mean_day_amount": "net amount of a purchase day",
    "newest_days_amount": "net amount of the last three purchase days",
    "silence_in_gaps": "silence against the usual gap",
    "silence_in_age": "silence against the whole history",
}
SCORED = ("activity", "count", "value")


@dataclass(frozen=True)
class Expected:
    """Arrays of shape (n,) over one horizon: the probability of a purchase, purchases, net value."""

    activity: Floats
    count: Floats
    value: Floats


@dataclass(frozen=True)
class Level:
    """What brings the totals to those that the base expects: added to the log-odds, and the logs of two factors.

    ``reason`` says whose totals they are.
    """

    activity: float
    count: float
    value: float
    reason: str


@dataclass(frozen=True)
class Champion:
    """``value`` is in units of ``value_unit``, the mean of its labels; nobody is expected to do more than ``count_cap``
    and ``value_cap``, the most that a label said. ``cutoffs``: those learned from, newest first, as ISO dates.
    ``curve``: when within the horizon who comes comes, as in curve.py; None where the base's curve says it."""

    horizon: int
    cutoffs: tuple[str, ...]
    row_count: int
    activity: Glm
    count: Glm
    value: Glm
    value_unit: float
    count_cap: float
    value_cap: float
    level: Level
    curve: tuple[Glm, ...] | None = None


def champion_of(content: dict[str, Any]) -> Champion:
    """The champion of a mapping, as ``dataclasses.asdict`` and JSON made it."""
    glms = {name: _glm_of(content[name]) for name in SCORED}
    level, cutoffs = Level(**content["level"]), tuple(content["cutoffs"])
    curve = tuple(_glm_of(part) for part in content["curve"]) if "curve" in content else None
    return Champion(**content | glms | {"level": level, "cutoffs": cutoffs, "curve": curve})


def mapping_of(champion: Champion) -> dict[str, Any]:
    """As ``champion_of`` reads it; a champion without a curve has the bytes of before there were any."""
    content = asdict(champion)
    if champion.curve is None:
        del content["curve"]
    return content


def inputs_of(frame: pd.DataFrame, history: History, base: Expected) -> Floats:
    """The thirteen inputs, shape (n, 13), in the order of ``INPUT_GROUPS``.

    Who bought once has its age for a gap. Raises KeyError when the features of ``RECENT`` are missing.
    """
    silent = history.age - history.recency
    gap = np.where(history.repeats > 0, history.recency / np.maximum(history.repeats, 1.0), history.age)
    days = ("purchase_days", "purchase_days_28d", "purchase_days_91d")
    amounts = ("net_amount_28d", "net_amount_91d", "mean_day_amount", "newest_days_amount")
    known = [frame[name].to_numpy().astype(np.float64) for name in (*days, *amounts)]
    logs = [np.log1p(np.maximum(value, 0.0)) for value in (silent, *known, silent / gap, silent / history.age)]
    chance = np.clip(base.activity, LEAST, 1.0 - LEAST)
    of_base = [logit(chance), np.log(np.maximum(base.count, LEAST)), np.log(np.maximum(base.value, LEAST))]
    return np.column_stack([*of_base, *logs])


def expected_by(champion: Champion, inputs: Floats) -> Expected:
    """What the champion expects; purchases are never fewer than the probability of one."""
    level, unit = champion.level, champion.value_unit
    activity = np.asarray(expit(champion.activity.linear(inputs) + level.activity))
    count = _capped(champion.count, inputs, champion.count_cap) * np.exp(level.count)
    value = _capped(champion.value, inputs, champion.value_cap / unit) * unit * np.exp(level.value)
    return Expected(activity, np.maximum(count, activity), value)


def explained(champion: Champion, inputs: Floats, score: str) -> tuple[pd.DataFrame, Floats]:
    """Why: per customer the ``base`` (the score of the average row), what each group of inputs adds to it, and the
    ``level``; on the model's own scale (log-odds of activity, logs of count and value, before caps), and the score that
    they sum to, shape (n,)."""
    glm: Glm = getattr(champion, score)
    parts, groups = glm.contributions(inputs), np.array(list(INPUT_GROUPS.values()))
    base = glm.intercept + (float(np.log(champion.value_unit)) if score == "value" else 0.0)
    shown = {"base": np.full(len(inputs), base)}
    shown |= {group: parts[:, groups == group].sum(axis=1) for group in dict.fromkeys(groups.tolist())}
    shown["level"] = np.full(len(inputs), getattr(champion.level, score))
    return pd.DataFrame(shown), np.asarray(np.sum(list(shown.values()), axis=0))


def next_days(
    btyd: Btyd, history: History, base: Floats, activity: Floats, *, quantile: float | Floats, longest: float
) -> Floats:
    """Days until the next purchase has probability ``quantile``, shape (n,), NaN past ``longest`` or never.

    The base's curve with its odds raised alike at every time, so that it passes through the champion's ``activity`` at
    the horizon, where the base has ``base``: P(inactive within the horizon) and the dates are one curve.
    """
    raised = logit(np.clip(activity, LEAST, 1.0 - LEAST)) - logit(np.clip(base, LEAST, 1.0 - LEAST))
    return next_purchase_days(btyd, history, np.asarray(expit(logit(quantile) - raised)), longest)


def _glm_of(content: dict[str, Any]) -> Glm:
    return Glm(**content | {part: tuple(content[part]) for part in ("centre", "spread", "weights")})


def _capped(glm: Glm, inputs: Floats, cap: float) -> Floats:
    return np.asarray(np.exp(np.minimum(glm.linear(inputs), np.log(cap))))
