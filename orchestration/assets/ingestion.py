"""The raw zone: one step per system family lands what was delivered, judges it and commits what passed."""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from data_quality.suites.candidates import contract_suite
from data_quality.validate import Subject, validate
from data_quality.verdicts import Verdict, append_verdicts
from orchestration.extract import landing
from orchestration.extract.candidate import Candidate
from orchestration.extract.contract import Table, load_contract
from orchestration.extract.registry import Registry
from orchestration.locking import writing
from orchestration.settings import Settings

FAMILIES = ("crm", "sales", "finance")
SUITE_CHECK = "candidates_pass_their_suite"
READ_CHECK = "every_delivered_file_can_be_read"
QUARANTINE_CHECK = "no_row_is_quarantined"
FIRST_DAY_TAG = "tiering/first_day"

AssetEvent = dg.MaterializeResult[None] | dg.AssetCheckResult


def ingestion_assets(
    settings: Settings, registry: Registry | None, partitions: dg.DailyPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """One multi-asset per family; its assets are the contract's tables, delivered or not."""
    return [_family_assets(settings, registry, partitions, family) for family in FAMILIES]


def days_of(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """First and last as-of date of the run. The command line's range stands in a tag: Dagster would store one event
    per asset and day of it, a hundred seconds for a quarter."""
    first, last = (date.fromisoformat(day) for day in context.partition_key_range)
    return date.fromisoformat(context.run_tags.get(FIRST_DAY_TAG, first.isoformat())), last


def raw_key(table: Table) -> dg.AssetKey:
    return dg.AssetKey(["raw", table.raw_name])


def _family_assets(
    settings: Settings, registry: Registry | None, partitions: dg.DailyPartitionsDefinition, family: str
) -> dg.AssetsDefinition:
    tables = load_contract().family(family)

    @dg.multi_asset(
        name=f"{family}_extracts",
        specs=[_spec(table, registry) for table in tables],
        check_specs=[spec for table in tables for spec in _check_specs(table)],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
    )
    def extracts(context: dg.AssetExecutionContext) -> Iterator[AssetEvent]:
        _, until = days_of(context)
        feeds = registry.family(family) if registry else ()
        with writing(settings):
            landing.write_empty_schemas(settings)
            deliveries = landing.pending_deliveries(settings, feeds, until)
            context.log.info("%s: %d files to land", family, len(deliveries))
            candidates = landing.prepare(settings, deliveries)
            verdicts = judge(tables, candidates)
            append_verdicts(settings.verdict_log(context.run_id), verdicts)
            refused = {batch for verdict in verdicts if verdict.blocks for batch in verdict.batch_ids}
            passed = [item for item in candidates if item.held is None and item.batch_id not in refused]
            landing.commit(settings, passed)
            landing.discard(item for item in candidates if item not in passed)
        for table in tables:
            yield from _events(table, verdicts, [item for item in passed if item.entity == table.entity])

    return extracts


def judge(tables: Sequence[Table], candidates: Sequence[Candidate]) -> list[Verdict]:
    """Verdicts on the candidates of each table: can the file be read, does it pass its suite, is any row rejected."""
    verdicts = []
    subjects = []
    for table in tables:
        own = [item for item in candidates if item.entity == table.entity]
        held = [item for item in own if item.held is not None]
        rejected = sum(item.quarantined for item in own)
        verdicts.append(
            _landing_verdict(READ_CHECK, table, held, "error", "; ".join(str(item.held) for item in held) or "all read")
        )
        verdicts.append(
            _landing_verdict(
                QUARANTINE_CHECK, table, [item for item in own if item.quarantined], "warning", f"{rejected} rows"
            )
        )
        files = ", ".join(f"'{item.data_file}'" for item in own if item.accepted)
        if files:
            relation = f"select * from read_parquet([{files}], hive_partitioning = false)"
            subjects.append(Subject(table.name, relation, contract_suite(table)))
    return verdicts + (validate(subjects) if subjects else [])


def _landing_verdict(check: str, table: Table, offenders: Sequence[Candidate], severity: str, observed: str) -> Verdict:
    failed = "fail" if severity == "error" else "warn"
    return Verdict(
        check_name=check,
        subject=table.name,
        status=failed if offenders else "pass",
        severity=severity,
        owner="landing",
        observed=observed,
        expected="none",
        batch_ids=tuple(item.batch_id for item in offenders),
    )


def _spec(table: Table, registry: Registry | None) -> dg.AssetSpec:
    feeds = [feed for feed in registry.feeds if feed.table == table] if registry else []
    return dg.AssetSpec(
        raw_key(table),
        description=table.grain,
        group_name=f"raw_{table.family}",
        kinds={"python", "parquet"},
        owners=["team:data-engineering"],
        metadata={"delivered by": ", ".join(f"{feed.source_system}: {feed.files}" for feed in feeds) or "nobody yet"},
    )


def _check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    key = raw_key(table)
    return [
        dg.AssetCheckSpec(READ_CHECK, asset=key, blocking=True, description="A file that cannot be read is held."),
        dg.AssetCheckSpec(
            SUITE_CHECK, asset=key, blocking=True, description="Great Expectations on what would be committed."
        ),
        dg.AssetCheckSpec(QUARANTINE_CHECK, asset=key, description="Rows that broke a rule are set aside, not lost."),
    ]


def _events(table: Table, verdicts: Sequence[Verdict], committed: Sequence[Candidate]) -> Iterator[AssetEvent]:
    key = raw_key(table)
    own = [verdict for verdict in verdicts if verdict.subject == table.name]
    yield dg.MaterializeResult(
        asset_key=key,
        metadata={
            "dagster/row_count": sum(item.accepted for item in committed),
            "files": len(committed),
            "duplicates": sum(item.duplicates for item in committed),
            "quarantined": sum(item.quarantined for item in committed),
        },
    )
    for name in (READ_CHECK, QUARANTINE_CHECK):
        yield check_result(name, key, [verdict for verdict in own if verdict.check_name == name])
    yield check_result(SUITE_CHECK, key, [verdict for verdict in own if verdict.owner == "great_expectations"])


def check_result(name: str, key: dg.AssetKey, verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    """Several verdicts on one asset as one Dagster check result; what did not pass is listed in its metadata."""
    bad = [verdict for verdict in verdicts if verdict.status not in ("pass", "waived")]
    blocks = any(verdict.blocks for verdict in bad)
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key,
        passed=not bad,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={
            "checks": len(verdicts),
            "not passed": "; ".join(f"{v.check_name}: {v.observed}, expected {v.expected}" for v in bad) or "none",
        },
    )
