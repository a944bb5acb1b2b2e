"""Models as assets: scores between the two halves of the dbt project, and other methods beside what was decided."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg
import duckdb

from orchestration.locking import writing
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse

if TYPE_CHECKING:
    from ml.learn import TrainedModel

READ = (
    ["intermediate", "int_customer_days"],
    ["intermediate", "int_customers__features"],
    ["intermediate", "int_customers__panel"],
    ["customer", "customer_indicators"],
    *(["policy", f"policy_{rows}"] for rows in ("lenses", "bands", "weights", "matrices", "parts", "labels")),
    ["policy", "policy_parameters"],
    ["policy", "policy_rfm_metrics"],
    ["run", "run_dates"],
)
COMPARED = (["customer", "customer_indicators"], ["tiering", "customer_tiers"], ["audit", "policy_rules"])
COMPARISONS_KEY = dg.AssetKey(["ml", "comparisons"])
SCORED = {
    "documents": "Every model of this run as its JSON document; publishing keeps the new ones.",
    "models": "Which model scores which date of this run, on which rung of the fall-back ladder.",
    "trials": "Every model trained so far, and whether it took the place of the one in use.",
    "drifts": "How inputs, scores and past predictions lie beside what the model in use was trained on.",
    "scores": "Churn, purchases, net value, margin and next purchase of every customer that has bought.",
    "reasons": "Why each score of the release date is what it is, or which rung speaks.",
    "gaps": "The order that would lift each customer's score tier to the next on the release date, by the same models.",
}


def modelling_assets(settings: Settings, partitions: dg.DailyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    @dg.multi_asset(
        name="scores",
        specs=[
            dg.AssetSpec(
                ["ml", name],
                deps=[dg.AssetKey(key) for key in READ],
                group_name="ml",
                kinds={"python", "scipy"},
                owners=["team:analytics"],
                description=description,
            )
            for name, description in SCORED.items()
        ],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def scores(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        from ml.params import load_params
        from ml.store import read_models
        from orchestration.assets.model_metadata import told_of, told_of_trial
        from orchestration.gaps.finding import find_gaps
        from orchestration.scoring import score_run

        with writing(settings), open_warehouse(settings) as connection:
            used = score_run(connection, read_models(settings.models), load_params())
            find_gaps(connection, used)
            counts = {name: connection.table(f"ml.{name}").count("*").fetchone() for name in SCORED}
            told = {"models": told_of(_released(connection, used)), "trials": told_of_trial(_newest(connection))}
        context.log.info(f"models: {', '.join(sorted(used)) or 'none'}")
        for name, row in counts.items():
            metadata = {"dagster/row_count": row[0] if row else 0} | told.get(name, {})
            yield dg.MaterializeResult(asset_key=["ml", name], metadata=metadata)

    @dg.asset(
        key=COMPARISONS_KEY,
        deps=[dg.AssetKey(key) for key in COMPARED],
        group_name="ml",
        kinds={"python", "scikitlearn"},
        owners=["team:analytics"],
        description="Clusters, a decision tree and logistic regression beside the policy's tiers, made with the first "
        "release of each month; publishing keeps a new one. Nothing is decided by it.",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def comparisons() -> dg.MaterializeResult[None]:
        from ml.params import load_methods_params
        from ml.store import read_comparisons
        from orchestration.comparing import compare_run

        with writing(settings), open_warehouse(settings) as connection:
            shown, reason = compare_run(connection, read_comparisons(settings.models), load_methods_params())
        return dg.MaterializeResult(metadata={"shown": shown.version if shown else "none", "missing": reason or "none"})

    return [scores, comparisons]


def _released(connection: duckdb.DuckDBPyConnection, used: "Mapping[str, TrainedModel]") -> "TrainedModel | None":
    """The model of the release date."""
    rows = connection.execute("select model_version from run.run_dates where is_release_date").fetchall()
    return used.get(rows[0][0]) if rows else None


def _newest(connection: duckdb.DuckDBPyConnection) -> "TrainedModel | None":
    """The model that this run trained last, or that speaks."""
    from ml.learn import TrainedModel

    rows = connection.execute(
        "select document from ml.documents order by document::json ->> 'as_of_date' desc, model_version desc limit 1"
    ).fetchall()
    return TrainedModel.from_json(rows[0][0]) if rows else None
