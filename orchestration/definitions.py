"""All of Dagster in one place: ``build_defs`` assembles assets, checks, job, schedule and sensor of an installation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import date

import dagster as dg

from orchestration import dbt
from orchestration.assets.delivery import delivery_assets
from orchestration.assets.ingestion import ingestion_assets
from orchestration.assets.modelling import modelling_assets
from orchestration.assets.transformation import transformation_assets
from orchestration.errors import PlainError
from orchestration.extract.landing import judged_tables
from orchestration.extract.registry import Registry, load_registry
from orchestration.policy import check_policy
from orchestration.settings import Settings, load_settings
from orchestration.status import next_day

# The first partition of an installation that has no sources.yml yet; its own start_date replaces it.
NOT_STARTED = date(2025, 1, 1)
JOB = "daily"
SENSOR_SECONDS = 60


def build_defs(
    settings: Settings | None = None, loggers: Mapping[str, dg.LoggerDefinition] | None = None
) -> dg.Definitions:
    """A fresh ``Definitions`` for an installation; tests pass settings of a temporary home.

    Raises SourcesError or PolicyError for what nothing could run with.
    """
    warnings.simplefilter("ignore", dg.BetaWarning)  # the single-run backfill policy, which this project rests on
    settings = settings or load_settings()
    check_policy(settings)
    registry = load_registry(settings.sources) if settings.sources.exists() else None
    tables = judged_tables(settings, registry)
    manifest_file = dbt.manifest_path(settings)
    partitions = daily_partitions(registry)
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        partitions_def=partitions,
        executor_def=dg.in_process_executor,
        description="One day, or a range of days as a single run: land, judge, build, check, publish.",
    )
    return dg.Definitions(
        assets=[
            *ingestion_assets(settings, registry, tables, partitions),
            *transformation_assets(settings, registry, tables, manifest_file, partitions),
            *modelling_assets(settings, partitions),
            *delivery_assets(settings, registry, tables, manifest_file, partitions),
        ],
        loggers=loggers,
        jobs=[job],
        schedules=[
            dg.build_schedule_from_partitioned_job(
                job, name="every_morning", hour_of_day=3, description="Decides yesterday once its extracts are in."
            )
        ],
        sensors=[_when_extracts_are_in(settings, partitions)],
    )


def _when_extracts_are_in(settings: Settings, partitions: dg.DailyPartitionsDefinition) -> dg.SensorDefinition:
    """A file counts from the moment its name fits: senders write under another name and rename."""

    @dg.sensor(
        name="when_extracts_are_in",
        job_name=JOB,
        minimum_interval_seconds=SENSOR_SECONDS,
        description="Decides the next undecided day once every daily table has a file for it, and again when its "
        "extracts, sources.yml, the policy or waivers have changed since an attempt that was blocked.",
    )
    def when_extracts_are_in() -> dg.RunRequest | dg.SkipReason:
        try:
            found = next_day(settings)
        except PlainError as error:
            return dg.SkipReason(str(error))
        if found.missing:
            return dg.SkipReason(f"{found.day} waits for {', '.join(found.missing)}")
        if not partitions.has_partition_key(str(found.day)):
            return dg.SkipReason(
                f"{found.day} is not over, or before the first day that was loaded: reload definitions"
            )
        return dg.RunRequest(run_key=f"{found.day}-{found.state}", partition_key=str(found.day))

    return when_extracts_are_in


def daily_partitions(registry: Registry | None) -> dg.DailyPartitionsDefinition:
    """One partition per as-of date, from the installation's start date on."""
    start = registry.start_date if registry else NOT_STARTED
    zone = registry.feeds[0].timezone if registry and registry.feeds else "UTC"
    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), timezone=zone)


@dg.definitions
def defs() -> dg.Definitions:
    """What ``workspace.yaml`` loads; nothing is read at import."""
    return build_defs()
