"""The raw zone: one step per family that a system delivers lands what came, judges it and commits what passed."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import dagster as dg

from data_quality.deliveries import Arriving, Delivered, delivery_rules
from data_quality.rules import Rule
from data_quality.suites.candidates import contract_suite
from data_quality.thresholds import load_thresholds
from data_quality.validate import Subject, validate
from data_quality.verdicts import Verdict
from data_quality.waivers import load_waivers
from orchestration.extract import landing
from orchestration.extract.candidate import Candidate
from orchestration.extract.contract import Table, load_contract
from orchestration.extract.database import pull
from orchestration.extract.landing_checks import LANDING_CHECKS, READ_CHECK, expected_files_verdict, landing_verdicts
from orchestration.extract.manifest import Batch, read_manifest
from orchestration.extract.registry import Registry
from orchestration.locking import writing
from orchestration.release.catalogue import last_decided_knowledge
from orchestration.settings import Settings
from orchestration.verdict_log import give_verdicts

SUITE_CHECK = "candidates_pass_their_suite"
FIRST_DAY_TAG = "tiering/first_day"

AssetEvent = dg.MaterializeResult[None] | dg.AssetCheckResult


def ingestion_assets(
    settings: Settings,
    registry: Registry | None,
    tables: Sequence[Table],
    partitions: dg.DailyPartitionsDefinition,
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """One multi-asset per family of the judged ``tables``. The contract's other tables are assets that nothing makes.

    Raises WaiverError: waivers that cannot be read are told before anything runs.
    """
    load_waivers(settings.waivers)
    steps = [
        _family_assets(settings, registry, partitions, family, list(own))
        for family, own in groupby(tables, key=lambda table: table.family)
    ]
    return [*steps, *(_spec(table, registry) for table in load_contract().tables if table not in tables)]


def days_of(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """First and last as-of date of the run. The command line's range stands in a tag: Dagster would store one event
    per asset and day of it, a hundred seconds for a quarter."""
    first, last = (date.fromisoformat(day) for day in context.partition_key_range)
    return date.fromisoformat(context.run_tags.get(FIRST_DAY_TAG, first.isoformat())), last


def raw_key(table: Table) -> dg.AssetKey:
    return dg.AssetKey(["raw", table.raw_name])


def _family_assets(
    settings: Settings,
    registry: Registry | None,
    partitions: dg.DailyPartitionsDefinition,
    family: str,
    tables: Sequence[Table],
) -> dg.AssetsDefinition:
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
            pull(settings, feeds)
            landed = read_manifest(settings.manifest)
            deliveries = landing.pending_deliveries(settings, feeds, until)
            context.log.info("%s: %d files to land", family, len(deliveries))
            candidates = landing.prepare(settings, deliveries)
            verdicts = judge(settings, tables, candidates, landed)
            unexpected = landing.unexpected_files(settings, feeds, registry.feeds) if registry else []
            verdicts.append(expected_files_verdict(family, unexpected))
            verdicts = give_verdicts(settings, context.run_id, until, verdicts)
            refused = {batch for verdict in verdicts if verdict.blocks for batch in verdict.batch_ids}
            refused |= {item.batch_id for item in candidates if item.held is not None}
            told = [(item, refused.isdisjoint({item.batch_id, item.duplicate_of})) for item in candidates]
            passed = [item for item, is_sound in told if is_sound]
            if passed:
                landing.commit(settings, passed, last_decided_knowledge(settings))
            landing.discard(item for item, is_sound in told if not is_sound)
        for table in tables:
            yield from _events(table, verdicts, [item for item in passed if item.entity == table.entity])

    return extracts


def judge(
    settings: Settings, tables: Sequence[Table], candidates: Sequence[Candidate], landed: Sequence[Batch]
) -> list[Verdict]:
    """Verdicts on the candidates of each table: what landing says of its files, and Great Expectations of its rows and
    of what is usual for them."""
    verdicts = []
    subjects = []
    for table in tables:
        own = [item for item in candidates if item.entity == table.entity]
        before = [batch for batch in landed if (batch.family, batch.entity) == (table.family, table.entity)]
        verdicts += landing_verdicts(table, own, before)
        arriving = [_arriving(item) for item in own if item.held is None and item.duplicate_of is None]
        delivered = [_delivered(batch) for batch in before if batch.duplicate_of is None]
        usual = delivery_rules(
            load_thresholds(),
            table.name,
            table.event_date,
            table.control_amount,
            arriving=arriving,
            before=delivered,
        )
        suite = (*contract_suite(table), *usual)
        if arriving:
            subjects.append(Subject(table.name, _relation(table, own), suite))
        else:
            verdicts += [_nothing_to_judge(table, rule) for rule in suite]
    return verdicts + validate(subjects, sql_setup=limits(settings))


def limits(settings: Settings) -> list[str]:
    """What the quality suites' own DuckDB may use, as its first statements."""
    return [
        f"set threads = {settings.threads}",
        f"set memory_limit = '{settings.memory_limit}'",
        f"set temp_directory = '{settings.scratch / 'spill'}'",
    ]


def _relation(table: Table, candidates: Sequence[Candidate]) -> str:
    """The rows that would enter, each with the ``delivery_date`` of its file. No row is a relation all the same."""
    with_rows = [item for item in candidates if item.accepted]
    if not with_rows:
        columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in table.raw_columns.items())
        return f"select {columns}, cast(null as date) as delivery_date where false"
    files = ", ".join(f"'{item.data_file}'" for item in with_rows)
    days = ", ".join(f"('{item.batch_id}', date '{item.delivery.delivery_date}')" for item in with_rows)
    return f"""
        select candidates.*, delivered.delivery_date
        from read_parquet([{files}], hive_partitioning = false) as candidates
        inner join (values {days}) as delivered(batch_id, delivery_date) using (batch_id)
        where not candidates.is_deleted"""


def _arriving(item: Candidate) -> Arriving:
    delivery = item.delivery
    return Arriving(
        source_system=delivery.feed.source_system,
        delivery_date=delivery.delivery_date,
        extracted_at=delivery.arrival.extracted_at,
        records=item.records,
        amounts={part.currency: part.delivered for part in item.amounts},
        batch_id=item.batch_id,
        file=delivery.name,
        day_ends_at=delivery.feed.end_of_day(delivery.delivery_date),
        is_daily=delivery.feed.delivered == "daily",
    )


def _delivered(batch: Batch) -> Delivered:
    return Delivered(
        source_system=batch.source_system,
        delivery_date=batch.delivery_date,
        extracted_at=batch.extracted_at,
        records=batch.records,
        amounts={part.currency: part.delivered for part in batch.amounts},
    )


def _nothing_to_judge(table: Table, rule: Rule) -> Verdict:
    """Said all the same: at the gate a check without a verdict is one that was not done."""
    return Verdict(
        rule.name, table.name, "pass", rule.severity, "great_expectations", "nothing was delivered", rule.expected
    )


def _spec(table: Table, registry: Registry | None) -> dg.AssetSpec:
    feeds = [feed for feed in registry.feeds if feed.table == table] if registry else []
    return dg.AssetSpec(
        raw_key(table),
        description=table.grain,
        group_name=f"raw_{table.family}",
        kinds={"python", "parquet"},
        owners=["team:data-engineering"],
        metadata={
            "delivered by": ", ".join(f"{feed.source_system}: {' or '.join(feed.files)}" for feed in feeds)
            or "nobody yet"
        },
    )


def _check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    key = raw_key(table)
    return [
        dg.AssetCheckSpec(SUITE_CHECK, asset=key, blocking=True, description="Great Expectations on what would enter."),
        *(
            dg.AssetCheckSpec(name, asset=key, blocking=name == READ_CHECK, description=description)
            for name, description in LANDING_CHECKS.items()
        ),
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
    for name in LANDING_CHECKS:
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
