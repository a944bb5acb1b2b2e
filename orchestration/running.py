"""Materialize days in this process: the command line and the schedule run the same job, this is the former's way in."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.assets.delivery import RELEASE_KEY
from orchestration.assets.ingestion import FIRST_DAY_TAG
from orchestration.assets.transformation import KNOWN_AT_TAG
from orchestration.definitions import JOB, build_defs
from orchestration.locking import writing
from orchestration.plan import days_between
from orchestration.release.gate import Refused
from orchestration.settings import Settings, export_environment

INSTANCE_CONFIG = Path(__file__).with_name("dagster.yaml")

StepEvent = Callable[[str, str, float], None]


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``blocking`` lists the checks that stopped it; ``errors`` what failed otherwise."""

    run_id: str
    success: bool
    blocking: tuple[str, ...]
    errors: tuple[str, ...]


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The installation's Dagster instance, configured on first use. ``dagster dev`` shows the runs made here."""
    export_environment(settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    config = settings.dagster_home / "dagster.yaml"
    if not config.exists():
        shutil.copyfile(INSTANCE_CONFIG, config)
    return dg.DagsterInstance.get()


def run_days(
    settings: Settings, first: date, last: date, on_step: StepEvent, known_at: datetime | None = None
) -> Outcome:
    """Materialize every asset for the days as one run and publish. Raises Locked when another process writes.

    ``known_at`` replaces the knowledge that the plan would give the days.
    """
    knowledge = {KNOWN_AT_TAG: known_at.isoformat()} if known_at else {}
    with writing(settings), open_instance(settings) as instance:
        definitions = build_defs(settings, loggers={"console": _step_logger(on_step)})
        result = definitions.resolve_job_def(JOB).execute_in_process(
            run_config={"loggers": {"console": {}}},
            instance=instance,
            partition_key=last.isoformat(),
            tags={FIRST_DAY_TAG: first.isoformat(), **knowledge},
            raise_on_error=False,
        )
        if result.success:
            for day in days_between(first, last)[:-1]:
                instance.report_runless_asset_event(dg.AssetMaterialization(RELEASE_KEY, partition=day.isoformat()))
    blocking = tuple(
        f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}: {_told(evaluation)}"
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
    )
    causes = [_cause(event.step_failure_data.error) for event in result.all_events if event.is_step_failure]
    refused = tuple(message for kind, message in causes if kind == Refused.__name__)
    errors = tuple(message for _, message in causes)
    return Outcome(result.run_id, result.success, blocking + refused, errors)


def _cause(error: dg.SerializableErrorInfo | None) -> tuple[str, str]:
    """The kind of the first cause of a step's failure, and what it says in one line; Dagster wraps it."""
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return "", "a step failed without saying why"
    kind, message = error.cls_name or "", error.message.strip()
    # Our own errors say all there is to say; of others the kind helps to understand them.
    return kind, message.partition(f"{kind}: ")[2] if message.startswith("orchestration.") else message


def _told(evaluation: dg.AssetCheckEvaluation) -> str:
    metadata: Mapping[str, Any] = evaluation.metadata
    value = metadata.get("not passed") or metadata.get("rows that break the promise")
    return str(getattr(value, "value", value))


def _step_logger(on_step: StepEvent) -> dg.LoggerDefinition:
    class Steps(logging.Handler):
        """Passes (step, state, seconds) on; state is started, done or failed."""

        states = {"STEP_START": "started", "STEP_SUCCESS": "done", "STEP_FAILURE": "failed"}  # noqa: RUF012

        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            state = self.states.get(event.event_type_value) if event is not None else None
            if event is not None and state is not None:
                duration = getattr(event.event_specific_data, "duration_ms", 0) or 0
                on_step(event.step_key, state, duration / 1000)

    @dg.logger
    def steps(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("tiering", logging.DEBUG)
        logger.addHandler(Steps())
        return logger

    return steps
