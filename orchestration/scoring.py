"""What a run does with models: plans which day uses which, trains where a day has to, scores every day with its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from ml.drift import load_drift_params, references
from ml.learn import TrainedModel, cutoffs, lesson_of
from ml.params import PanelParams, Params
from ml.promotion import PromotionParams, load_promotion_params
from ml.reasons import reasons
from ml.score import score
from ml.store import NO_MODEL, ModelStoreError, PlannedModel, champion_before
from ml.trial import looked_back, tried
from orchestration.trials import tell_drift, tell_trials
from orchestration.warehouse_tables import ML_TABLES

FEATURES = "intermediate.int_customers__features"
PANEL = "intermediate.int_customers__panel"
INDICATORS = "customer.customer_indicators"
POPULATION = "intermediate.int_customers__population"
DECIDING = "intermediate.int_indicators__deciding"
# Who has never bought has no history to learn from: a row for each horizon of its date, and no score in it.
WITHOUT_SCORE = f"""
    insert into ml.scores by name
    select population.as_of_date, population.customer_id, models.horizon_days
    from {POPULATION} as population
    inner join ml.models as models on population.as_of_date = models.as_of_date
    where not exists (
        select 1 from ml.scores
        where scores.as_of_date = population.as_of_date
            and scores.customer_id = population.customer_id
            and scores.horizon_days = models.horizon_days
    )
"""
# For the lineage of columns, which no SQL tells here: what each column of schema ml is copied from. What is not listed
# the model says, and a model stands on every column of FEATURES that it scores and of PANEL that it was fitted on.
COPIED = {
    "as_of_date": "run.run_dates.as_of_date",
    "customer_id": "intermediate.int_customers__features.customer_id",
    "horizon_days": "",  # a parameter of ml/params.yml
    "score_name": "",  # says which score its row explains
}


def tell_models(
    connection: duckdb.DuckDBPyConnection, planned: Sequence[PlannedModel], params: Params, panel: PanelParams
) -> None:
    """Write into the run's inputs which stored model each date has, and the cut-offs of the dates that train one: their
    own of all customers, earlier ones of no more than the panel shall have."""
    for day in planned:
        connection.execute(
            "update run.run_dates set model_version = ? where as_of_date = ?", [day.version, day.as_of_date]
        )
        if day.trained_on == day.as_of_date:
            own, *earlier = cutoffs(day.as_of_date, params)
            limits = {own: None} | dict.fromkeys(earlier, panel.max_customers)
            rows = [(day.as_of_date, cutoff, limit) for cutoff, limit in limits.items()]
            connection.executemany("insert into run.run_cutoffs values (?, ?, ?)", rows)


def score_run(
    connection: duckdb.DuckDBPyConnection,
    stored: Mapping[str, TrainedModel],
    params: Params,
    gate: PromotionParams | None = None,
) -> dict[str, TrainedModel]:
    """Fill schema ``ml`` and the model versions of ``run.run_dates``; the models that were used, by version.

    A date without a version takes the model in use since the newest that this run has trained up to it: that one, or
    the one before, where the gate kept it; when the step is repeated, dates have the versions that it gave them. Raises
    FeaturesError or LeakError when the features are not what models expect, ModelStoreError when a date's model is not
    to be had.
    """
    days = connection.execute(
        "select as_of_date, known_at, model_version, is_release_date from run.run_dates order by as_of_date"
    ).fetchall()
    training = {row[0] for row in connection.execute("select as_of_date from run.run_cutoffs").fetchall()}
    for name in ML_TABLES:
        connection.execute(f"delete from ml.{name}")
    gate, known, used = gate or load_promotion_params(), dict(stored), dict[str, TrainedModel]()
    deciding = _deciding_horizons(connection)
    drift, documents = load_drift_params(), dict[str, TrainedModel]()
    trained: TrainedModel | None = None
    for day, known_at, planned, is_released in days:
        if day in training:
            with threadpool_limits(1):  # sums in one order, so that the same features train the same model
                lesson = lesson_of(_panel(connection, day), day, known_at, params)
                challenger = replace(
                    tried(lesson, champion_before(known, day, known_at), gate),
                    references=references(lesson.trained.model, lesson.known[_cutoff(day)], drift),
                    realised=looked_back(lesson, known),
                )
            documents[challenger.version] = known[challenger.version] = challenger
            trained = known[challenger.speaker]
        model = trained if planned is None else known.get(planned)
        if model is not None:
            every = model.model.params.horizons
            horizons = every if is_released else [horizon for horizon in every if horizon in deciding]
            rungs = {horizon: _told(model, horizon) for horizon in horizons}
            used[model.version] = model
            features = _features(connection, day)
            given = features, model.model, _cutoff(day), horizons
            if horizons:
                _insert(connection, "scores", day, score(*given).drop(columns=["rung", "reason"]))
            if is_released:
                _insert(connection, "reasons", day, reasons(*given))
            if day == days[-1][0]:
                tell_drift(connection, known, model, features, day=days[-1][:2], given=drift)
        elif planned == NO_MODEL:
            rungs = dict.fromkeys(params.horizons, ("none", "decided before there were models", None, None))
        else:
            raise ModelStoreError(f"models: {day} is to be scored by {planned}, which is neither stored nor trained")
        version = model.version if model else NO_MODEL
        connection.execute("update run.run_dates set model_version = ? where as_of_date = ?", [version, day])
        for horizon, rung in rungs.items():
            connection.execute("insert into ml.models values (?, ?, ?, ?, ?, ?, ?)", [day, horizon, version, *rung])
    connection.execute(WITHOUT_SCORE)
    for version, model in sorted((documents | used).items()):
        connection.execute("insert into ml.documents values (?, ?)", [version, model.to_json()])
    if days:
        tell_trials(connection, known, *days[-1][:2])
    return used


def _deciding_horizons(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """The horizons that a tier may rest on: with these, an indicator that decides ends. Days before the released one
    need no others."""
    rows = connection.execute(f"select distinct regexp_extract(indicator, '_([0-9]+)d$', 1) from {DECIDING}").fetchall()
    return {int(days) for (days,) in rows if days}


def _told(trained: TrainedModel, horizon: int) -> tuple[str | None, ...]:
    """Rung, reason, grade and its reason; a model of before there were grades has neither."""
    grade = trained.grade_of(horizon)
    told = (grade.grade, grade.reason) if grade else (None, None)
    return trained.model.rung_of(horizon), trained.model.reason, *told


def _cutoff(day: date) -> date:
    return day + timedelta(days=1)


def _panel(connection: duckdb.DuckDBPyConnection, day: date) -> pd.DataFrame:
    query = f"select * exclude (as_of_date) from {PANEL} where as_of_date = ?"
    return connection.execute(query, [day]).df()


def _features(connection: duckdb.DuckDBPyConnection, day: date) -> pd.DataFrame:
    query = f"select * exclude (as_of_date) from {FEATURES} where as_of_date = ?"
    return connection.execute(query, [day]).df()


def _insert(connection: duckdb.DuckDBPyConnection, table: str, day: date, rows: pd.DataFrame) -> None:
    connection.register("given", pa.Table.from_pandas(rows, preserve_index=False))
    connection.execute(f"insert into ml.{table} by name select ? as as_of_date, * from given", [day])
    connection.unregister("given")
