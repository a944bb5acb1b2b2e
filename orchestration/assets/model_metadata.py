"""What an orchestrator shows of the model in use beside the steps that train, judge and score: figures, no decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ml.learn import TrainedModel

# Of the back-test, under their own names.
FIGURES = ("auc", "average_precision", "brier", "ece", "count_bias", "value_bias", "value_gini", "value_top_share")


def told_of(model: TrainedModel | None) -> dict[str, Any]:
    """Evaluation of each horizon, with its calibration as a table and its lift over the best simple rule."""
    if model is None:
        return {}
    horizons = model.model.params.horizons
    by_horizon = {horizon: _of_horizon(model, horizon) for horizon in horizons}
    return {"model": model.version, "reason": model.model.reason} | _named(by_horizon, len(horizons))


def told_of_trial(newest: TrainedModel | None) -> dict[str, Any]:
    """The verdict of the gate on the newest model, and the figures that it rests on."""
    if newest is None or newest.promotion is None:
        return {}
    found = {contest.horizon: contest.figures for contest in newest.promotion.contests}
    told = {"verdict": newest.promotion.verdict, "in words": newest.promotion.sentences[0]}
    return told | _named(found, len(newest.model.params.horizons))


def _of_horizon(model: TrainedModel, horizon: int) -> dict[str, Any]:
    grade = model.grade_of(horizon)
    test = next((one for one in model.backtests if one.horizon == horizon), None)
    found: dict[str, Any] = {"rung": model.model.rung_of(horizon)}
    if grade:
        lifts = {name: value for name, value in grade.figures.items() if "lift" in name and value is not None}
        found |= {"grade": grade.grade, "grade reason": grade.reason} | lifts
    if test:
        found |= {name: value for name in FIGURES if (value := test.figures.get(name)) is not None}
        found["calibration"] = dg.MetadataValue.md(_table(test.calibration))
    return found


def _named(by_horizon: Mapping[int, Mapping[str, Any]], horizons: int) -> dict[str, Any]:
    """With the horizon behind each name, where there are several."""
    return {
        f"{name}, {horizon} days" if horizons > 1 else name: value
        for horizon, figures in by_horizon.items()
        for name, value in figures.items()
    }


def _table(rows: tuple[Mapping[str, float], ...]) -> str:
    lines = [f"| {row['predicted']:.3f} | {row['observed']:.3f} | {row['customers']:.0f} |" for row in rows]
    return "\n".join(["| predicted | observed | customers |", "|---|---|---|", *lines])
