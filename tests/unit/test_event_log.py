"""Promises of the event log: it holds what Dagster's own would, in one transaction an event or batch, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from dagster._check import CheckError
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage

from orchestration.event_log import EventLog
from orchestration.running import open_instance
from orchestration.settings import Settings

ASSETS = 12


def assets() -> list[dg.AssetsDefinition]:
    """A dozen assets, each with a check."""

    def one(nth: int) -> dg.AssetsDefinition:
        spec = dg.AssetCheckSpec("holds", asset=f"asset_{nth}")

        @dg.asset(name=f"asset_{nth}", check_specs=[spec])
        def made() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
            yield dg.MaterializeResult(metadata={"rows": nth})
            yield dg.AssetCheckResult(check_name="holds", asset_key=f"asset_{nth}", passed=nth > 0)

        return made

    return [one(nth) for nth in range(ASSETS)]


@pytest.fixture
def told(settings: Settings) -> list[dg.EventLogEntry]:
    """Every event of a run, in the order in which they were stored."""
    with open_instance(settings) as instance:
        result = dg.materialize(assets(), instance=instance, raise_on_error=False)
        return list(instance.all_logs(result.run_id))


@contextmanager
def watched(log: EventLog) -> Iterator[list[str]]:
    """What the database is asked within, commits among it."""
    asked: list[str] = []
    sqlalchemy.event.listen(log._engine, "commit", lambda connection: asked.append("COMMIT"))
    sqlalchemy.event.listen(log._engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    yield asked


def test_it_holds_what_the_log_of_dagster_would(told: list[dg.EventLogEntry], tmp_path: Path) -> None:
    logs = (EventLog(str(tmp_path / "ours")), ConsolidatedSqliteEventLogStorage(str(tmp_path / "theirs")))
    for log in logs:
        log.register_instance(dg.DagsterInstance.ephemeral())
        log.store_event_batch(told[: len(told) // 2])
        for event in told[len(told) // 2 :]:
            log.store_event(event)
    ours, theirs = ([row.event_log_entry for row in log.get_records_for_run(told[0].run_id).records] for log in logs)
    assert ours == theirs == told
    keys = [key for definition in assets() for key in definition.keys]
    ours, theirs = ([record.asset_entry for record in log.get_asset_records(keys)] for log in logs)
    assert ours == theirs
    assert len(ours) == ASSETS
    checks = [key for definition in assets() for key in definition.check_keys]
    statuses = [
        {key: record.status for key, record in log.get_latest_asset_check_execution_by_key(checks).items()}
        for log in logs
    ]
    assert statuses[0] == statuses[1]
    assert len(statuses[0]) == ASSETS


def test_an_event_is_one_transaction_that_asks_nothing_of_the_schema(
    told: list[dg.EventLogEntry], tmp_path: Path
) -> None:
    log = EventLog(str(tmp_path / "ours"))
    half = len(told) // 2
    for event in told[:half]:
        log.store_event(event)
    with watched(log) as asked:
        for event in told[half:]:
            log.store_event(event)
    assert asked.count("COMMIT") == len(told) - half
    assert not [statement for statement in asked if "PRAGMA" in statement or "sqlite_master" in statement]


def test_a_batch_is_stored_as_a_whole_or_not_at_all(told: list[dg.EventLogEntry], tmp_path: Path) -> None:
    log = EventLog(str(tmp_path / "ours"))
    with pytest.raises(CheckError):
        log.store_event_batch([*told, None])  # type: ignore[list-item]
    assert not log.get_records_for_run(told[0].run_id).records


def test_what_a_run_plans_is_one_transaction(settings: Settings) -> None:
    with open_instance(settings) as instance:
        log = instance.event_log_storage
        assert isinstance(log, EventLog)
        with watched(log) as asked:
            job = dg.define_asset_job("all_of_it").resolve(asset_graph=dg.Definitions(assets()).resolve_asset_graph())
            instance.create_run_for_job(job)
    planned = [place for place, statement in enumerate(asked) if statement.startswith("INSERT INTO event_logs")]
    assert len(planned) == 2 * ASSETS
    assert "COMMIT" not in asked[planned[0] : planned[-1]]
