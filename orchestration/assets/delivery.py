"""The last stage: judge what was built as a whole, then publish it. A blocked run leaves the last release standing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb

from data_quality.conservation import conservation
from data_quality.drift import compared_rules, drift_rules
from data_quality.model_drift import MART as DRIFT_MART
from data_quality.model_drift import model_drift_rules
from data_quality.reconciliation import COMPARISONS, reconcile
from data_quality.rules import Rule
from data_quality.stability import MART as STABILITY_MART
from data_quality.stability import stability_rule
from data_quality.suites.marts import mart_suites
from data_quality.thresholds import load_thresholds
from data_quality.validate import Subject, validate
from data_quality.waivers import expired_verdict, load_waivers
from orchestration import dbt
from orchestration.assets.ingestion import check_result, days_of, limits
from orchestration.assets.modelling import COMPARISONS_KEY
from orchestration.extract.contract import Table
from orchestration.extract.registry import Registry
from orchestration.lineage.graph import write_lineage
from orchestration.locking import writing
from orchestration.release import catalogue
from orchestration.release.dictionary import Mart, marts_of
from orchestration.release.gate import Promise, pass_gate, promised_checks
from orchestration.release.manifest import judged_by
from orchestration.release.model_card import MODEL_CARD, write_model_card
from orchestration.release.publish import DECIDED_MARTS, ReleaseInputs, export, put_in_place, release_id
from orchestration.release.quality_page import QUALITY_PAGE, write_quality_page
from orchestration.release.retention import retire
from orchestration.release.summary import report_facts, summarise, write_report
from orchestration.settings import Settings
from orchestration.verdict_log import give_verdicts, verdict_log
from orchestration.warehouse import open_warehouse, record_checks, record_reconciliations

TOTALS_CHECK = "totals_agree_by_two_paths"
QUALITY_KEY = dg.AssetKey("quality")
RELEASE_KEY = dg.AssetKey("release")


def delivery_assets(
    settings: Settings,
    registry: Registry | None,
    tables: Sequence[Table],
    manifest_file: Path,
    partitions: dg.DailyPartitionsDefinition,
) -> list[dg.AssetsDefinition]:
    """The verdict on what was built of the judged ``tables``, and the release that waits for it."""
    manifest = dbt.manifest_document(manifest_file)
    marts, promises = marts_of(manifest), promised_checks(manifest, tables)
    return [_quality(settings, tables, marts, partitions), _release(settings, registry, marts, promises, partitions)]


def mart_key(mart: Mart) -> dg.AssetKey:
    return dg.AssetKey([mart.schema, mart.name])


def _quality(
    settings: Settings, tables: Sequence[Table], marts: list[Mart], partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    """Its checks stand on an asset of their own: on the marts they would block what the later marts are made of."""
    suites = mart_suites()

    @dg.multi_asset(
        name="quality",
        specs=[
            dg.AssetSpec(
                QUALITY_KEY,
                deps=[mart_key(mart) for mart in marts],
                group_name="release",
                kinds={"greatexpectations", "duckdb"},
                owners=["team:audit"],
                description="Great Expectations on every mart that would be published, and totals by two paths.",
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                _shape_check(mart), asset=QUALITY_KEY, blocking=True, description=f"Great Expectations on {mart.name}."
            )
            for mart in marts
        ]
        + [
            dg.AssetCheckSpec(
                TOTALS_CHECK,
                asset=QUALITY_KEY,
                blocking=True,
                description="Money and rows agree from the files to the marts, residual zero.",
            )
        ],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def quality(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        _, as_of_date = days_of(context)
        with writing(settings):
            with open_warehouse(settings) as connection:
                totals = reconcile(connection, [*conservation(tables), *COMPARISONS])
                record_reconciliations(connection, totals)
                drifts = _drift_rules(settings, connection, marts)
            # Under the name of its file, by which its views name their tables.
            build = settings.warehouse.stem
            shapes = validate(
                [
                    Subject(m.name, _judged_rows(m, build, as_of_date), (*suites[m.name], *drifts[m.name]))
                    for m in marts
                ],
                sql_setup=[*limits(settings), f"attach '{settings.warehouse}' as {build} (read_only)"],
            )
        expired = expired_verdict(load_waivers(settings.waivers), as_of_date)
        found = [*shapes, *(total.verdict for total in totals), expired]
        verdicts = give_verdicts(settings, context.run_id, as_of_date, found)
        yield dg.MaterializeResult(asset_key=QUALITY_KEY, metadata={"checks": len(verdicts)})
        for mart in marts:
            yield check_result(_shape_check(mart), QUALITY_KEY, [v for v in verdicts if v.subject == mart.name])
        yield check_result(TOTALS_CHECK, QUALITY_KEY, [v for v in verdicts if v.owner == "reconciliation"])

    return quality


def _judged_rows(mart: Mart, build: str, day: date) -> str:
    """What is published of a mart: its rows of the release date, and every day of what goes into the ledger."""
    table = f"{build}.{mart.schema}.{mart.name}"
    return f"select * from {table}" if mart.name in DECIDED_MARTS else mart.released_on(day, table)


def _drift_rules(
    settings: Settings, connection: duckdb.DuckDBPyConnection, marts: list[Mart]
) -> dict[str, tuple[Rule, ...]]:
    """Per mart, what holds it to the last release. Audit marts speak of their run alone and have no such rules."""
    (as_of_date,) = connection.execute("select max(as_of_date) from run.run_dates").fetchall()[0]
    last, nothing = _last_release(settings, as_of_date)
    found: dict[str, tuple[Rule, ...]] = {mart.name: () for mart in marts}
    for mart in marts:
        file = last / f"{mart.name}.parquet" if last else None
        now = f"({mart.released_on(as_of_date)})"
        if mart.is_hashed and file and file.exists():
            before = f"read_parquet('{file}')"
            found[mart.name] = compared_rules(connection, load_thresholds(), mart.name, now, before)
        elif mart.is_hashed:
            found[mart.name] = drift_rules(load_thresholds(), mart.name, nothing=nothing)
    found[STABILITY_MART] += (stability_rule(connection, load_thresholds()),)
    found[DRIFT_MART] += model_drift_rules(connection)
    return found


def _last_release(settings: Settings, as_of_date: date) -> tuple[Path | None, str]:
    """The release to compare with, or why there is none: one of a later day knows more than this one will."""
    try:
        last = catalogue.current_release(settings)
    except catalogue.NoRelease:
        return None, "nothing to compare with: no release before"
    told = catalogue.read_release(last)["as_of_date"]
    if date.fromisoformat(told) > as_of_date:
        return None, f"nothing to compare with: the last release is of a later day, {told}"
    return last, "nothing to compare with: the last release has none of it"


def _shape_check(mart: Mart) -> str:
    return f"{mart.name}_has_the_expected_shape"


def _release(
    settings: Settings,
    registry: Registry | None,
    marts: list[Mart],
    promises: list[Promise],
    partitions: dg.DailyPartitionsDefinition,
) -> dg.AssetsDefinition:
    @dg.asset(
        key=RELEASE_KEY,
        deps=[QUALITY_KEY, COMPARISONS_KEY, *(mart_key(mart) for mart in marts)],
        group_name="release",
        kinds={"duckdb", "parquet"},
        owners=["team:analytics"],
        description="One folder that people read: marts, serving database, report, manifest. CURRENT points to it.",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        log = verdict_log(settings, context.run_id)
        with writing(settings), open_warehouse(settings) as build:
            built_by = build.execute("select distinct run_id from run.run_dates order by run_id").fetchall()
            given = pass_gate(log, promises, [row[0] for row in built_by])
            inputs = release_inputs(build, context.run_id)
            record_checks(build, given, inputs.as_of_date, context.run_id)
            folder, facts = export(settings, build, marts, inputs)
            facts = (
                facts
                | summarise(folder)
                | {
                    "release_id": release_id(facts),
                    "verdicts": judged_by(given, log.file),
                    "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
                }
            )
            write_report(folder, report_facts(settings, registry, facts, build, inputs.model))
            write_quality_page(settings, folder, facts, [entry.verdict for entry in given])
            write_model_card(folder, build, facts, inputs.model)
            write_lineage(folder, settings, registry)
            manifest = put_in_place(settings, folder, facts, build)
            published = settings.releases / str(manifest["release_id"])
            retired = retire(settings, datetime.fromisoformat(facts["published_at"]))
        return dg.MaterializeResult(
            metadata={
                "release": published.name,
                "retired": ", ".join(retired) or "none",
                "dagster/row_count": manifest["customer_count"],
                "report": dg.MetadataValue.path(str(published / "report.html")),
                "quality": dg.MetadataValue.path(str(published / QUALITY_PAGE)),
                "model_card": dg.MetadataValue.path(str(published / MODEL_CARD)),
                "folder": dg.MetadataValue.path(str(published)),
            }
        )

    return release


def release_inputs(build: duckdb.DuckDBPyConnection, run_id: str) -> ReleaseInputs:
    """What the build file was made from, as the run's inputs tell it."""
    from ml.learn import TrainedModel

    days = build.execute(
        "select as_of_date, known_at, policy_version, model_version from run.run_dates order by as_of_date"
    ).fetchall()
    as_of_date, known_at, policy_version, model_version = days[-1]
    decided: tuple[date, ...] = tuple(day[0] for day in days)
    document = build.execute("select document from ml.documents where model_version = ?", [model_version]).fetchone()
    return ReleaseInputs(
        as_of_date=as_of_date,
        known_at=known_at,
        decided_dates=decided,
        policy_version=policy_version,
        model_version=model_version,
        model=TrainedModel.from_json(document[0]) if document else None,
        run_id=run_id,
    )
