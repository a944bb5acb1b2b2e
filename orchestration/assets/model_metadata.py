"""What an orchestrator shows of the model in use beside the steps that train, judge and score: figures, no decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ml.learn import TrainedModel

# Of the back-test, under their own names.
FIGURES = ("auc", "average_precision", "brier", "ece", "count_bias", "value_bias", "value_gini", "value_top_share")


def told_of(model: TrainedModel | None) -> dict[str, Any]:
    """Evaluation of the shortest horizon, with its calibration as a table and its lift over the best simple rule."""
    if model is None:
        return {}
    horizon = model.model.params.horizons[0]
    grade = model.grade_of(horizon)
    test = next((one for one in model.backtests if one.horizon == horizon), None)
    found: dict[str, Any] = {"model": model.version, "rung": model.model.rung_of(horizon), "reason": model.model.reason}
    if grade:
        lifts = {name: value for name, value in grade.figures.items() if "lift" in name and value is not None}
        found |= {"grade": grade.grade, "grade reason": grade.reason} | lifts
    if test:
        found |= {name: value for name in FIGURES if (value := test.figures.get(name)) is not None}
        found["calibration"] = dg.MetadataValue.md(_table(test.calibration))
    return found


def told_of_trial(newest: TrainedModel | None) -> dict[str, Any]:
    """The verdict of the gate on the newest model, and the figures that it rests on."""
    if newest is None or newest.promotion is None:
        return {}
    figures = {name: value for contest in newest.promotion.contests[:1] for name, value in contest.figures.items()}
    return {"verdict": newest.promotion.verdict, "in words": newest.promotion.sentences[0]} | figures


def _table(rows: tuple[Mapping[str, float], ...]) -> str:
    lines = [f"| {row['predicted']:.3f} | {row['observed']:.3f} | {row['customers']:.0f} |" for row in rows]
    return "\n".join(["| predicted | observed | customers |", "|---|---|---|", *lines])
