"""Scores between the two halves of the dbt project: train where a day has to, score every day with its own model."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import dagster as dg
import duckdb
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from ml.learn import TrainedModel, cutoffs, learn
from ml.params import Params, load_params
from ml.score import score
from ml.store import NO_MODEL, PlannedModel, read_models
from orchestration.locking import writing
from orchestration.settings import Settings
from orchestration.warehouse import ML_TABLES, open_warehouse

FEATURES = ("intermediate", "int_customers__features")
PANEL = ("intermediate", "int_customers__panel")


def modelling_assets(settings: Settings, partitions: dg.DailyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    @dg.multi_asset(
        name="scores",
        specs=[
            dg.AssetSpec(
                ["ml", name],
                deps=[dg.AssetKey(FEATURES), dg.AssetKey(PANEL), dg.AssetKey(["run", "run_dates"])],
                group_name="ml",
                kinds={"python", "scikitlearn"},
                owners=["team:analytics"],
                description=description,
            )
            for name, description in (
                ("documents", "Every model of this run as its JSON document; publishing keeps the new ones."),
                ("models", "Which model scores which date of this run, on which rung of the fall-back ladder."),
                ("scores", "Churn, purchases, net value, margin and next purchase of every customer that has bought."),
            )
        ],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def scores(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        params, stored = load_params(), read_models(settings.models)
        with writing(settings), open_warehouse(settings) as connection, threadpool_limits(1):
            used = score_run(connection, stored, params)
            counts = {name: connection.table(f"ml.{name}").count("*").fetchone() for name in ML_TABLES}
        context.log.info(f"models: {', '.join(sorted(used)) or NO_MODEL}")
        for name, row in counts.items():
            yield dg.MaterializeResult(asset_key=["ml", name], metadata={"dagster/row_count": row[0] if row else 0})

    return [scores]


def tell_models(connection: duckdb.DuckDBPyConnection, planned: Sequence[PlannedModel], params: Params) -> None:
    """Write into the run's inputs which stored model each date has, and the cut-offs of the dates that train one."""
    for day in planned:
        connection.execute(
            "update run.run_dates set model_version = ? where as_of_date = ?", [day.version, day.as_of_date]
        )
        if day.trained_on == day.as_of_date:
            rows = [(day.as_of_date, cutoff) for cutoff in cutoffs(day.as_of_date, params)]
            connection.executemany("insert into run.run_cutoffs values (?, ?)", rows)


def score_run(
    connection: duckdb.DuckDBPyConnection, stored: Mapping[str, TrainedModel], params: Params
) -> dict[str, TrainedModel]:
    """Fill schema ``ml`` and the model versions of ``run.run_dates``; the models that were used, by version.

    A date without a version takes the newest model that this run has trained up to it. Raises FeaturesError or
    LeakError when the features are not what models expect.
    """
    days = connection.execute(
        "select as_of_date, known_at, model_version from run.run_dates order by as_of_date"
    ).fetchall()
    training = {row[0] for row in connection.execute("select as_of_date from run.run_cutoffs").fetchall()}
    for name in ML_TABLES:  # a step may be repeated
        connection.execute(f"delete from ml.{name}")
    used: dict[str, TrainedModel] = {}
    trained: TrainedModel | None = None
    for day, known_at, planned in days:
        if day in training:
            trained = learn(_panel(connection, day), day, known_at, params)
        model = trained if planned is None else stored.get(planned)
        if model is None:
            rung = "none", "decided before there were models"
            horizons: tuple[int, ...] = params.horizons
        else:
            rung, horizons = (model.model.rung, model.model.reason), model.model.params.horizons
            used[model.version] = model
            _insert_scores(connection, day, score(_features(connection, day), model.model, _cutoff(day), horizons))
        version = model.version if model else NO_MODEL
        connection.execute("update run.run_dates set model_version = ? where as_of_date = ?", [version, day])
        for horizon in horizons:
            connection.execute("insert into ml.models values (?, ?, ?, ?, ?)", [day, horizon, version, *rung])
    for version, model in sorted(used.items()):
        connection.execute("insert into ml.documents values (?, ?)", [version, model.to_json()])
    return used


def _cutoff(day: date) -> date:
    return day + timedelta(days=1)


def _panel(connection: duckdb.DuckDBPyConnection, day: date) -> pd.DataFrame:
    query = f"select * exclude (as_of_date) from {'.'.join(PANEL)} where as_of_date = ?"
    return connection.execute(query, [day]).df()


def _features(connection: duckdb.DuckDBPyConnection, day: date) -> pd.DataFrame:
    query = f"""
        select features.* exclude (valid_from, valid_to)
        from {".".join(FEATURES)} as features
        inner join intermediate.int_customers__population as population using (customer_id)
        where population.as_of_date = $1 and features.valid_from <= $1 and features.valid_to > $1
    """
    return connection.execute(query, [day]).df()


def _insert_scores(connection: duckdb.DuckDBPyConnection, day: date, scored: pd.DataFrame) -> None:
    connection.register("scored", pa.Table.from_pandas(scored, preserve_index=False))
    connection.execute(
        "insert into ml.scores by name select ? as as_of_date, * exclude (rung, reason) from scored", [day]
    )
    connection.unregister("scored")
