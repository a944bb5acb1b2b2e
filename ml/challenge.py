"""The past of a panel → a champion over a base. A pure function: same rows, same bytes.

A customer is learned from once a cut-off. The labels of a cut-off lie in the horizon after it and end at or before the
day's own; what the base said then was fitted on what had happened by then. Where there is less history than two
horizons, labels are shorter and stretched by what the base expects of the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.special import expit

from ml.btyd import Floats
from ml.champion import RECENT, Champion, Expected, Level, expected_by, inputs_of
from ml.curve import learned_curve
from ml.features import NEXT, checked_features, history_of
from ml.glm import GlmRefused, fit_glm
from ml.params import ChampionParams, Params
from ml.score import base_expects
from ml.train import BaseModel, fit

# A season comes back after so many days, on the same day of the week.
YEAR = 364
# Of a shift of log-odds: past it a chance is as good as nothing or one.
SHIFT_BOUND = 50.0

Known = Mapping[date, pd.DataFrame]
# What a past cut-off taught, by it and the end of its labels: models of several cut-offs learn from the same ones.
Taught = dict[tuple[date, date], "Rows | None"]


def champion_cutoffs(cutoff: date, horizon: int, params: Params) -> set[date]:
    """All cut-offs whose features a champion of a cut-off may read: its own, what it learns from, where labels end."""
    if params.champion is None:
        return {cutoff}
    step = step_days(horizon, params.champion)
    steps = range(max(params.champion.max_cutoffs, -(-horizon // step)) + 1)
    year_ago = cutoff - timedelta(days=YEAR)
    days = {cutoff - timedelta(days=back + step * nth) for nth in steps for back in (0, horizon)}
    return days | {year_ago, year_ago + timedelta(days=horizon)}


def challenged(base: BaseModel, known: Known, horizon: int, taught: Taught | None = None) -> BaseModel:
    """The base with a champion of the horizon where the data carries one, or with the reason where it does not.

    A base at a bound of its fit, which speaks by cells, still carries one; without a fit it stays as it is.

    ``known``: features as of ``champion_cutoffs``, by cut-off; those of other cut-offs are not looked at.
    ``taught``: kept from one call to the next of the same horizon, parameters and features, and filled.
    """
    if base.btyd is None or base.params.champion is None:
        return base
    try:
        champion = _champion(base, known, horizon, base.params.champion, {} if taught is None else taught)
    except _Refused as refused:
        return replace(base, reason=f"{base.reason}; no champion of {horizon} days: {refused}")
    reason = f"{base.reason}; champion of {horizon} days from {len(champion.cutoffs)} cut-offs"
    return replace(base, reason=reason, champions=(*(base.champions or ()), champion))


def curved(model: BaseModel, known: Known, horizon: int, taught: Taught | None = None) -> BaseModel:
    """The model with the curve of its champion's horizon, learned from the rows that taught it; as it is where these do
    not say when the next purchase came."""
    champion, given = model.champion_of(horizon), model.params.champion
    if champion is None or given is None:
        return model
    rows = learned_rows(model, known, horizon, given, taught).values()
    days = [found.days for found in rows if found.days is not None]
    if len(days) < len(rows):
        return model
    inputs = np.concatenate([found.inputs for found in rows])
    curve = learned_curve(inputs, np.concatenate(days), horizon, given.activity_penalty)
    speaking = (replace(one, curve=curve) if one is champion else one for one in model.champions or ())
    return replace(model, champions=tuple(speaking))


class _Refused(ValueError):
    """The data carries no champion; the message is the reason."""


@dataclass(frozen=True)
class Rows:
    """What one cut-off teaches: inputs, shape (n, 13), labels, each of shape (n,), and the days until the next purchase
    as curve.py reads them, None where nobody told them or a label sees less than the horizon."""

    inputs: Floats
    labels: Expected
    days: Floats | None


def _champion(base: BaseModel, known: Known, horizon: int, given: ChampionParams, taught: Taught) -> Champion:
    if base.repeater_count < given.min_repeaters:
        raise _Refused(f"{base.repeater_count} customers with a repeat purchase, expected {given.min_repeaters}")
    if missing := [name for name in RECENT if name not in known[base.cutoff]]:
        raise _Refused(f"features {missing} are missing")
    start, rows = _start(base, known), learned_rows(base, known, horizon, given, taught)
    if not rows:
        days = (base.cutoff - start).days
        raise _Refused(f"{days} days of history, expected {horizon} and customers who came back by then")
    inputs = np.concatenate([found.inputs for found in rows.values()])
    activity, count, value = (
        np.concatenate([getattr(found.labels, name) for found in rows.values()])
        for name in ("activity", "count", "value")
    )
    unit = float(value.mean()) or 1.0
    capped = np.minimum(value, np.quantile(value, given.value_label_quantile)) / unit
    try:
        glms = (
            fit_glm("logit", inputs, activity, given.activity_penalty),
            fit_glm("log", inputs, count, given.amount_penalty * len(inputs)),
            fit_glm("log", inputs, capped, given.amount_penalty * len(inputs)),
        )
    except GlmRefused as refused:
        raise _Refused(str(refused)) from refused
    stretched = (base.cutoff - start).days < 2 * horizon
    level = Level(0.0, 0.0, 0.0, "none: labels are stretched by the base")
    learned = tuple(cutoff.isoformat() for cutoff in rows)
    made = Champion(horizon, learned, len(inputs), *glms, unit, float(count.max()), float(value.max()), level)
    return made if stretched else replace(made, level=_level(made, base, known, start))


def learned_rows(
    base: BaseModel, known: Known, horizon: int, given: ChampionParams, taught: Taught | None = None
) -> dict[date, Rows]:
    """What each past cut-off teaches that has customers and a base, newest first. ``taught``: what is known already."""
    taught = {} if taught is None else taught
    rows: dict[date, Rows] = {}
    for cutoff in _learned_cutoffs(_start(base, known), base.cutoff, horizon, given):
        place = cutoff, min(cutoff + timedelta(days=horizon), base.cutoff)
        if place not in taught:
            taught[place] = _rows(known, cutoff, base, horizon) if len(known.get(cutoff, ())) else None
        if (found := taught[place]) is not None:
            rows[cutoff] = found
    return rows


def _start(base: BaseModel, known: Known) -> date:
    first: date = known[base.cutoff]["first_purchase_date"].min().date()
    return first


def _learned_cutoffs(start: date, own: date, horizon: int, params: ChampionParams) -> list[date]:
    """Newest first: a horizon and more before the own one with as much history before, else, with less than two
    horizons of it, those whose labels are at least a share of what there is."""
    history, step = (own - start).days, step_days(horizon, params)
    if history >= 2 * horizon:
        back = range(horizon, history - horizon + 1, step)
    elif history >= horizon:
        shortest = -(-horizon * params.shortest_label_share // step)
        back = range(int(shortest) * step, history - params.first_cutoff_days + 1, step)
    else:
        back = range(0)
    return [own - timedelta(days=days) for days in back[: params.max_cutoffs]]


def step_days(horizon: int, params: ChampionParams) -> int:
    """Days between cut-offs: near the spacing wanted, and as often as whole numbers allow a part of the horizon."""
    spacing = params.spacing_days if horizon <= params.long_horizon_days else params.long_spacing_days
    return horizon // max(1, round(horizon / spacing))


def _rows(known: Known, cutoff: date, base: BaseModel, horizon: int) -> Rows | None:
    """Inputs and labels as of a past cut-off; None where no base can be fitted on what had happened by then. One at a
    bound of its fit will do: its curves are those of a neighbour within."""
    frame = checked_features(known[cutoff], cutoff)
    then = fit(frame, cutoff, base.params)
    if then.btyd is None:
        return None
    expected, end = base_expects(frame, then, cutoff, horizon), min(cutoff + timedelta(days=horizon), base.cutoff)
    labels = _came(known, frame, end)
    seen = (end - cutoff).days
    if seen < horizon:
        shorter = base_expects(frame, then, cutoff, seen)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(shorter.count > 0, expected.count / shorter.count, 1.0)
            still = np.where(shorter.activity < 1, (1 - expected.activity) / (1 - shorter.activity), 1.0)
        activity = np.where(labels.activity > 0, 1.0, 1.0 - still)
        labels = Expected(activity, labels.count * ratio, labels.value * ratio)
    days = _days_until(frame, cutoff, end) if seen == horizon else None
    return Rows(inputs_of(frame, history_of(frame, cutoff), expected), labels, days)


def _days_until(frame: pd.DataFrame, cutoff: date, end: date) -> Floats | None:
    """From the cut-off to the next purchase, NaN for none before ``end``: what comes later is not to be known."""
    if NEXT not in frame:
        return None
    days = (pd.to_datetime(frame[NEXT]) - pd.Timestamp(cutoff)).dt.days.to_numpy().astype(np.float64)
    return np.where(days < (end - cutoff).days, days, np.nan)


def _came(known: Known, frame: pd.DataFrame, end: date) -> Expected:
    """What those customers did until ``end``; net value below nothing, by returns, is nothing."""
    after = checked_features(known[end], end).by_customer.reindex(frame["customer_id"])
    count = after["purchase_days"].to_numpy().astype(np.float64) - frame["purchase_days"].to_numpy()
    value = after["net_amount"].to_numpy().astype(np.float64) - frame["net_amount"].to_numpy()
    return Expected((count > 0).astype(np.float64), count, np.maximum(value, 0.0))


def _level(champion: Champion, base: BaseModel, known: Known, start: date) -> Level:
    """Totals as the base expects them, times what came of what it would have expected a year ago."""
    cutoff, horizon = base.cutoff, champion.horizon
    frame = checked_features(known[cutoff], cutoff)
    by_base = base_expects(frame, base, cutoff, horizon)
    ratios, reason = _last_year(base, known, start, horizon)
    inputs = inputs_of(frame, history_of(frame, cutoff), by_base)
    found, scores = expected_by(champion, inputs), champion.activity.linear(inputs)
    share = min(by_base.activity.mean() * ratios[0], (1.0 + by_base.activity.mean()) / 2.0)
    count = np.log(by_base.count.sum() * ratios[1] / found.count.sum())
    value = np.log(by_base.value.sum() * ratios[2] / found.value.sum())
    return Level(_shift(scores, float(share)), float(count), float(value), reason)


def _shift(scores: Floats, share: float) -> float:
    """What to add to log-odds so that their chances have the mean ``share``: by halves, until floats end."""
    low, high = -SHIFT_BOUND, SHIFT_BOUND
    while low < (middle := (low + high) / 2.0) < high:
        low, high = (low, middle) if expit(scores + middle).mean() >= share else (middle, high)
    return high


def _last_year(base: BaseModel, known: Known, start: date, horizon: int) -> tuple[tuple[float, float, float], str]:
    """What came / what a base of a year ago expected of it: activity, count, value; ones where it cannot be known."""
    given, year_ago = base.params.champion, base.cutoff - timedelta(days=YEAR)
    nothing = (1.0, 1.0, 1.0), "the base's totals"
    if given is None or (year_ago - start).days < max(given.season_history_days, horizon) or horizon > YEAR:
        return nothing
    frame = checked_features(known[year_ago], year_ago)
    then = fit(frame, year_ago, base.params)
    if then.btyd is None:
        return nothing
    came, by_base = (
        _came(known, frame, year_ago + timedelta(days=horizon)),
        base_expects(frame, then, year_ago, horizon),
    )
    limit, ratios = given.season_limit, []
    for name in ("activity", "count", "value"):
        of_base = getattr(by_base, name).sum()
        ratio = getattr(came, name).sum() / of_base if of_base > 0 else 1.0
        ratios.append(float(np.clip(ratio, 1.0 / limit, limit)))
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return (ratios[0], ratios[1], ratios[2]), f"the base's totals times last year's ratios {told}"
