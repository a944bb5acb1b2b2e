"""Scores between the two halves of the dbt project: train where a day has to, score every day with its own model."""

from collections.abc import Iterator

import dagster as dg

from orchestration.locking import writing
from orchestration.settings import Settings
from orchestration.warehouse import ML_TABLES, open_warehouse

READ = (["intermediate", "int_customers__features"], ["intermediate", "int_customers__panel"], ["run", "run_dates"])


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
        from ml.params import load_params
        from ml.store import read_models
        from orchestration.scoring import score_run

        with writing(settings), open_warehouse(settings) as connection:
            used = score_run(connection, read_models(settings.models), load_params())
            counts = {name: connection.table(f"ml.{name}").count("*").fetchone() for name in ML_TABLES}
        context.log.info(f"models: {', '.join(sorted(used)) or 'none'}")
        for name, row in counts.items():
            yield dg.MaterializeResult(asset_key=["ml", name], metadata={"dagster/row_count": row[0] if row else 0})

    return [scores]
