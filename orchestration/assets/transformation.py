"""From the raw zone to tiers: what the run tells the models, then the dbt project in its two halves."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from orchestration import dbt
from orchestration.assets.ingestion import days_of, raw_key
from orchestration.build_state import begin_build, end_build
from orchestration.extract.contract import Table
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import Registry, load_registry
from orchestration.locking import writing
from orchestration.plan import days_between, plan_days
from orchestration.policy import read_policies
from orchestration.release.catalogue import decided_knowledge, decided_models
from orchestration.release.publications import releases
from orchestration.settings import Settings
from orchestration.verdict_log import give_verdicts
from orchestration.warehouse import load_run, open_warehouse
from orchestration.warehouse_tables import RUN_TABLES

# A run with this tag decides its days with the knowledge it names, and not with the one the plan would give them.
KNOWN_AT_TAG = "tiering/known_at"

DbtEvent = dg.MaterializeResult[None] | dg.AssetCheckResult


class Translator(DagsterDbtTranslator):
    """Groups and owners come from the project's own configuration; only the kinds and the description are ours."""

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props.get("description", ""))


def transformation_assets(
    settings: Settings,
    registry: Registry | None,
    tables: Sequence[Table],
    manifest_file: Path,
    partitions: dg.DailyPartitionsDefinition,
) -> list[dg.AssetsDefinition]:
    """The run's inputs, after the judged ``tables``, and the two dbt steps, ordered by what the models read."""
    manifest = dbt.manifest_document(manifest_file)
    translator = Translator()
    # Taken before anything is built: rows that change meanwhile make the next run build anew.
    fingerprint = dbt.build_fingerprint(settings)
    shared: dict[str, Any] = {
        "manifest": manifest,
        "partitions_def": partitions,
        "dagster_dbt_translator": translator,
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "pool": "warehouse",
    }

    @dbt_assets(name="foundation", exclude=" ".join(dbt.SECOND_HALF), **shared)
    def foundation(context: dg.AssetExecutionContext) -> Iterator[DbtEvent]:
        # Open for the whole step: a file that is closed is written out, and read again when dbt opens it.
        with writing(settings), open_warehouse(settings) as connection:
            goes_on = begin_build(connection)
            what = (*dbt.FOUNDATION, *(dbt.DEFINITIONS if goes_on else ("--full-refresh",)))
            if goes_on:
                yield from _standing(context, manifest, translator)
            yield from _build(context, settings, manifest, translator, what, connection=connection)
            end_build(connection, fingerprint)

    @dbt_assets(name="decisions", select=" ".join(dbt.SECOND_HALF), **shared)
    def decisions(context: dg.AssetExecutionContext) -> Iterator[DbtEvent]:
        with writing(settings), open_warehouse(settings) as connection:
            yield from _build(context, settings, manifest, translator, dbt.DECISIONS, connection=connection)

    return [_run_inputs(settings, registry, tables, partitions, fingerprint), foundation, decisions]


def _run_inputs(
    settings: Settings,
    registry: Registry | None,
    tables: Sequence[Table],
    partitions: dg.DailyPartitionsDefinition,
    fingerprint: str,
) -> dg.AssetsDefinition:
    raw_keys = [raw_key(table) for table in tables]

    @dg.multi_asset(
        name="run_inputs",
        specs=[
            dg.AssetSpec(
                ["run", name],
                deps=raw_keys,
                group_name="run",
                kinds={"python", "duckdb"},
                owners=["team:data-engineering"],
                description="What this run tells the models: " + name.removeprefix("run_").replace("_", " ") + ".",
            )
            for name in RUN_TABLES
        ],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def run_inputs(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        first, last = days_of(context)
        days_of_run = days_between(first, last)
        decided = decided_knowledge(settings, days_of_run)
        scored_by = decided_models(settings, days_of_run)
        batches = [batch for batch in read_manifest(settings.manifest) if batch.delivery_date <= last]
        if instant := context.run_tags.get(KNOWN_AT_TAG):
            decided, scored_by = dict.fromkeys(days_of_run, datetime.fromisoformat(instant)), {}
            batches = [batch for batch in read_manifest(settings.manifest) if batch.known_at <= decided[last]]
        systems = registry or load_registry(settings.sources)  # which tells what to do where there is none
        days = plan_days(days_of_run, batches, read_policies(settings.policy), systems.end_of_day, decided)
        batches = [batch for batch in batches if batch.known_at <= days[-1].known_at]
        from ml.params import load_panel_params, load_params
        from ml.store import plan_models, read_models
        from orchestration.scoring import tell_models

        params = load_params()
        times = [(day.as_of_date, day.known_at) for day in days]
        models = plan_models(times, read_models(settings.models), scored_by, params)
        with writing(settings), open_warehouse(settings) as connection:
            before, run_id = releases(settings), context.run_id
            loaded = load_run(settings, connection, days, batches, before, run_id=run_id, project=fingerprint)
            tell_models(connection, models, params, load_panel_params())
            counts = {name: connection.table(f"run.{name}").count("*").fetchone() for name in RUN_TABLES}
        for name, row in counts.items():
            metadata = {"dagster/row_count": row[0] if row else 0, "batches read now": loaded}
            yield dg.MaterializeResult(asset_key=["run", name], metadata=metadata)

    return run_inputs


def _build(
    context: dg.AssetExecutionContext,
    settings: Settings,
    manifest: dict[str, Any],
    translator: Translator,
    selection: Sequence[str],
    *,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[DbtEvent]:
    """Build one half and report each node. A failed model fails the step; a failed test blocks by its check."""
    results = dbt.build(settings, selection)
    rows = _row_counts(connection, manifest, results)
    give_verdicts(settings, context.run_id, days_of(context)[1], dbt.test_verdicts(results, manifest))
    broken = []
    for result in results:
        if result.resource_type == "test":
            key = get_asset_check_key_for_test(manifest, translator, result.unique_id, None)
            if key is not None and result.status != "skipped":
                yield _check(key, result)
        elif result.status == "success":
            asset_key = translator.get_asset_key(manifest["nodes"][result.unique_id])
            metadata: dict[str, Any] = {"seconds": round(result.seconds, 3)}
            if result.unique_id in rows:
                metadata["dagster/row_count"] = rows[result.unique_id]
            yield dg.MaterializeResult(asset_key=asset_key, metadata=metadata)
        elif result.status == "error":
            broken.append(f"{result.unique_id}: {result.message}")
    if broken:
        raise dg.Failure(description="\n".join(broken))


def _standing(
    context: dg.AssetExecutionContext, manifest: dict[str, Any], translator: Translator
) -> Iterator[dg.MaterializeResult[None]]:
    """The step's staging views and seeds that stand as the same project made them: not made anew, and up to date."""
    for node in manifest["nodes"].values():
        if dbt.is_definition(node):
            key = translator.get_asset_key(node)
            if key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata={"made anew": False})


def _check(key: dg.AssetCheckKey, result: dbt.NodeResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=key.name,
        asset_key=key.asset_key,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata={"rows that break the promise": result.failures, "message": result.message},
    )


def _row_counts(
    connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any], results: Sequence[dbt.NodeResult]
) -> dict[str, int]:
    """Rows of every table that was built, from the catalogue: no table is scanned for it."""
    built = {
        (node["schema"], node["name"]): result.unique_id
        for result in results
        if result.status == "success" and (node := manifest["nodes"].get(result.unique_id))
    }
    sizes = connection.execute("select schema_name, table_name, estimated_size from duckdb_tables()").fetchall()
    return {built[(schema, name)]: size for schema, name, size in sizes if (schema, name) in built}
