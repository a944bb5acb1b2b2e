"""What is shown of a model beside its grade: how it did at each past cut-off, where it was off, and what it finds.

The same back-tests as the grade's, told apart: figures by cut-off with their intervals, calibration, gains, segments.
Nothing is judged here, and no customer is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from ml.btyd import Floats
from ml.evaluate import calibration_table
from ml.grade import FIGURE_DIGITS, Judged, fewer
from ml.params import GradeParams, Params
from ml.resamples import Weights, resampled, weighted_auc, weighted_ginis

# Of the customers ranked highest, how many tenths.
TENTHS = range(1, 11)
# By what customers are told apart, as the simple rules rank them.
RANKED = {"recency": "recency", "past_value": "past_value"}
PARTS = ("cutoffs", "calibration", "gains", "segments")


@dataclass(frozen=True)
class Evidence:
    """Of one horizon; plain rows, so that a document holds them as they are.

    ``cutoffs``, newest first: cutoff, rung, customers, and ``figures`` with ``_low`` and ``_high`` beside most.
    ``calibration``: predicted, observed, rows. ``gains``: of each tenth of customers by the score and by the best
    simple rule, the share of buyers and of net value among them, means over the cut-offs. ``segments``: by, segment,
    rows, and what was expected and came. Figures that cannot be told are None.
    """

    horizon: int
    cutoffs: tuple[Mapping[str, Any], ...]
    calibration: tuple[Mapping[str, Any], ...]
    gains: tuple[Mapping[str, Any], ...]
    segments: tuple[Mapping[str, Any], ...]


def evidence_of_mapping(content: Mapping[str, Any]) -> Evidence:
    """The evidence that ``dataclasses.asdict`` and JSON made a mapping of."""
    return Evidence(content["horizon"], *(tuple(content[part]) for part in PARTS))


def evidence_of(tests: Sequence[Judged], rules: Mapping[str, str], horizon: int, params: Params) -> Evidence:
    """``rules``: by measure the best simple rule, as in the grade. Raises ValueError without parameters of a grade."""
    if (given := params.grade) is None:
        raise ValueError("evidence: the parameters have no part 'grade'")
    some = [fewer(test, given.max_customers) for test in tests if test.customers]
    weights = resampled([test.customers for test in some], given.resamples, given.seed) if some else []
    return Evidence(
        horizon=horizon,
        cutoffs=tuple(_cutoff(test, weight, given) for test, weight in zip(some, weights, strict=True)),
        calibration=tuple(_calibrated(some, params.calibration_bins)),
        gains=tuple(_gains([test for test in some if test.value.sum() > 0 and (test.count > 0).any()], rules)),
        segments=tuple(_segments(some, params.cell_purchase_days, given.rfm_quantiles)),
    )


def _cutoff(test: Judged, weights: Weights, given: GradeParams) -> dict[str, Any]:
    active = (test.count > 0).astype(np.float64)
    drawn = {
        "auc": weighted_auc(1.0 - test.inactive, active, weights),
        "value_gini": weighted_ginis([test.expected_value], test.value, weights)[0],
        "brier": _mean((test.inactive - (1.0 - active)) ** 2, weights),
        "count_mae": _mean(np.abs(test.expected_count - test.count), weights),
        "value_mae": _mean(np.abs(test.expected_value - test.value), weights),
        "count_bias": _bias(test.expected_count, test.count, weights),
        "value_bias": _bias(test.expected_value, test.value, weights),
    }
    tail = (1.0 - given.interval) / 2.0
    figures: dict[str, float] = {}
    for name, found in drawn.items():
        low, high = np.quantile(found[1:], [tail, 1.0 - tail])
        figures |= {name: float(found[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return {
        "cutoff": test.cutoff.isoformat(),
        "rung": test.rung,
        "customers": len(test.customers),
        "buyers": int(active.sum()),
        "figures": _told(figures),
    }


def _mean(each: Floats, weights: Weights) -> Floats:
    """In each resample, shape (1 + resamples,)."""
    return np.asarray(weights.astype(np.float64) @ each / weights.sum(axis=1, dtype=np.float64))


def _bias(expected: Floats, came: Floats, weights: Weights) -> Floats:
    """Predicted / came in each resample; NaN where nothing came."""
    sums = _mean(came, weights)
    return np.asarray(np.divide(_mean(expected, weights), sums, out=np.full(len(sums), np.nan), where=sums > 0))


def _calibrated(tests: Sequence[Judged], bins: int) -> Iterator[dict[str, Any]]:
    """Of the rows of all cut-offs together."""
    if tests:
        predicted = np.concatenate([test.inactive for test in tests])
        observed = np.concatenate([test.count == 0 for test in tests]).astype(np.float64)
        for row in calibration_table(predicted, observed, bins).to_dict("records"):
            yield _told({name: row[name] for name in ("predicted", "observed")}) | {"rows": int(row["customers"])}


def _gains(tests: Sequence[Judged], rules: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The score finds buyers by its probability and value by its amount, as does the rule that came nearest in each."""
    if not tests or not rules:
        return
    held: dict[str, list[Floats]] = {}
    for test in tests:
        active = (test.count > 0).astype(np.float64)
        for name, ranking, actual in (
            ("buyers", 1.0 - test.inactive, active),
            ("buyers_rule", test.rules[rules["auc"]], active),
            ("value", test.expected_value, test.value),
            ("value_rule", test.rules[rules["gini"]], test.value),
        ):
            held.setdefault(name, []).append(_held(ranking, actual))
    means = {name: np.mean(found, axis=0) for name, found in held.items()}
    for place, tenth in enumerate(TENTHS):
        yield {"tenth": tenth} | _told({name: float(mean[place]) for name, mean in means.items()})


def _held(ranking: Floats, actual: Floats) -> Floats:
    """Share of the actual sum held by each tenth and those above it; customers ranked alike share what they have."""
    shared = pd.Series(actual).groupby(ranking).transform("mean").to_numpy()[np.argsort(-ranking, kind="stable")]
    last = [int(np.ceil(len(shared) * tenth / len(TENTHS))) - 1 for tenth in TENTHS]
    return np.asarray(shared.cumsum()[last] / actual.sum())


def _segments(tests: Sequence[Judged], edges: Sequence[int], quantiles: int) -> Iterator[dict[str, Any]]:
    """By purchase days so far, and by quantiles of the last purchase and of past value, 1 the least."""
    frames = []
    for test in tests:
        frame = pd.DataFrame({"inactive": test.inactive, "came_inactive": test.count == 0, "count": test.count})
        frame["expected_count"], frame["value"] = test.expected_count, test.value
        frame["expected_value"] = test.expected_value
        frame["purchase_days"] = np.searchsorted(edges, test.rules["frequency"], side="right")
        for by, rule in RANKED.items():
            figure = test.rules[rule]
            smaller = np.searchsorted(np.sort(figure), figure, side="left")
            frame[by] = np.floor(quantiles * smaller / len(figure)).astype(int)
        frames.append(frame)
    if not frames:
        return
    every = pd.concat(frames, ignore_index=True)
    for by in ("purchase_days", *RANKED):
        for band, rows in every.groupby(by):
            sums = rows.sum()
            yield {
                "by": by,
                "segment": _named(edges, int(str(band))) if by == "purchase_days" else str(int(str(band)) + 1),
                "rows": len(rows),
            } | _told(
                {
                    "inactive_predicted": float(rows["inactive"].mean()),
                    "inactive_observed": float(rows["came_inactive"].mean()),
                    "count_bias": _ratio(sums["expected_count"], sums["count"]),
                    "value_bias": _ratio(sums["expected_value"], sums["value"]),
                }
            )


def _named(edges: Sequence[int], band: int) -> str:
    low, high = [1, *edges][band], [*edges, None][band]
    return f"{low}+" if high is None else f"{low}-{high - 1}" if low < high - 1 else f"{low}"


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _told(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(float(value), FIGURE_DIGITS) if isfinite(value) else None for name, value in figures.items()}
