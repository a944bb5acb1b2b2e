"""What became of every model that was trained by a release's date, as rows for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pandas as pd

from ml.drift import SCORE, DriftParams, drifted
from ml.learn import TrainedModel

FIGURES = (
    *("auc_gain", "auc_gain_low", "brier_gain", "brier_gain_high", "gini_gain", "gini_gain_low"),
    *("count_bias", "champion_count_bias", "value_bias", "champion_value_bias", "ece", "champion_ece"),
)
INTO_DRIFTS = "insert into ml.drifts values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
UNTRIED = "The model was trained before there was a gate.", "该模型训练于设立检验之前。"


def tell_trials(
    connection: duckdb.DuckDBPyConnection, known: Mapping[str, TrainedModel], day: date, known_at: datetime
) -> None:
    """Fill ``ml.trials`` with the models that know no more than the day does."""
    for version, model in sorted(known.items()):
        if model.as_of_date <= day and model.known_at <= known_at:
            for row in _rows(version, model):
                connection.execute(f"insert into ml.trials values ({', '.join('?' * len(row))})", row)


def tell_drift(
    connection: duckdb.DuckDBPyConnection,
    known: Mapping[str, TrainedModel],
    model: TrainedModel,
    features: pd.DataFrame,
    *,
    day: tuple[date, datetime],
    given: DriftParams,
) -> None:
    """Fill ``ml.drifts``: how the inputs and scores of a day lie beside those the model was trained on, and what the
    newest trial by then found of past predictions. ``day``: the as-of date and what it knows."""
    as_of_date, known_at = day
    cutoff = as_of_date + timedelta(days=1)
    for (horizon, measure), value in drifted(model.model, model.references, features, cutoff, given).items():
        topic = "score" if measure == SCORE else "input"
        level = "alarm" if value > given.alarm_psi else "warn" if value > given.warn_psi else "steady"
        limits = value, given.warn_psi, level
        connection.execute(INTO_DRIFTS, [horizon, model.version, topic, measure, model.as_of_date, None, *limits])
    newest = max(
        (one for one in known.values() if one.as_of_date <= as_of_date and one.known_at <= known_at),
        key=lambda one: (one.as_of_date, one.known_at, one.version),
    )
    for one in newest.realised:
        ratios = one.ratios()
        for measure, value in one.off().items():
            level = "warn" if value > given.realised_limit else "steady"
            limits = value, given.realised_limit, level
            told = [one.horizon, one.version, "realised", measure, one.cutoff, ratios[measure]]
            connection.execute(INTO_DRIFTS, [*told, *limits])


def _rows(version: str, model: TrainedModel) -> Iterator[list[Any]]:
    promotion = model.promotion
    for horizon in model.model.params.horizons:
        grade = model.grade_of(horizon)
        contest = next((one for one in promotion.contests if one.horizon == horizon), None) if promotion else None
        figures = contest.figures if contest else {}
        yield [
            *(model.as_of_date, horizon, version, promotion.champion if promotion else None, model.speaker),
            *(model.model.rung_of(horizon), grade.grade if grade else None),
            *(promotion.verdict if promotion else None, *(promotion.sentences if promotion else UNTRIED)),
            len(contest.cutoffs) if contest else 0,
            *(figures.get(name) for name in FIGURES),
        ]
