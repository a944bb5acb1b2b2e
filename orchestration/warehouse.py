"""The build file: a cache of the raw zone plus what this run tells the models. It can be deleted at any time.

New batches are read once and appended to ``raw`` with the interval in which each record version was the newest
known; nothing else in the project writes ``raw`` or ``run``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data_quality.conservation import fingerprint
from data_quality.reconciliation import Reconciliation
from data_quality.verdicts import Given
from orchestration.build_state import go_on, stands_for
from orchestration.decision_history import load_decisions, load_made_of, load_standings
from orchestration.errors import PlainError
from orchestration.extract.contract import Contract, Table, load_contract
from orchestration.extract.landing import file_sha256
from orchestration.extract.manifest import Batch
from orchestration.plan import PlannedDay
from orchestration.record_versions import END_OF_TIME, settle
from orchestration.release.publications import Release
from orchestration.settings import Settings
from orchestration.warehouse_tables import KEPT_BETWEEN_RUNS, ML_TABLES, RUN_TABLES


class AlteredRaw(PlainError):
    """A file of the raw zone does not hold the bytes that landed."""


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the build file, closed on leaving: DuckDB's lock is absolute."""
    settings.home.mkdir(parents=True, exist_ok=True)
    # As in profiles.yml, types included: within a step dbt opens the same file, and DuckDB compares.
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": str(settings.threads),
        "memory_limit": settings.memory_limit,
        "temp_directory": str(settings.scratch / "spill"),
        "autoinstall_known_extensions": False,
        "disabled_compression_methods": "fsst,zstd,dict_fsst,alp,alprd,roaring",
        "preserve_insertion_order": False,
    }
    connection = duckdb.connect(str(settings.warehouse), read_only=read_only, config=config)
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def load_run(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    days: Sequence[PlannedDay],
    batches: Sequence[Batch],
    releases: Sequence[Release],
    *,
    run_id: str,
    project: str,
) -> int:
    """Bring ``raw`` up to the manifest and write this run's dates. Returns the number of batches read now.

    ``project`` is the fingerprint of the dbt project that is about to run, ``run_id`` the run that builds.
    """
    contract = load_contract()
    connection.execute("begin")
    if not stands_for(connection, contract, RUN_TABLES):
        _start_anew(connection, contract)
    _empty_run_tables(connection)
    loaded = {row[0] for row in connection.execute("select batch_id from run.run_batches").fetchall()}
    new = [batch for batch in batches if batch.batch_id not in loaded]
    _insert(connection, "run_batches", [_batch_row(place, batch) for place, batch in enumerate(new, len(loaded))])
    for name, group in groupby(sorted(new, key=_table_name), key=_table_name):
        _append(settings, connection, contract.table(name), list(group))
    go_on(connection, days, [batch.known_at for batch in new], project)
    load_decisions(settings, connection)
    load_standings(settings, connection, before=days[0].as_of_date)
    load_made_of(settings, connection, before=days[0].as_of_date)
    release_date = max(day.as_of_date for day in days)
    _insert(
        connection,
        "run_dates",
        [(d.as_of_date, d.known_at, d.policy_version, "none", d.as_of_date == release_date, run_id) for d in days],
    )
    _insert(connection, "run_releases", [astuple(release) for release in releases])
    connection.execute("commit")
    return len(new)


def record_checks(connection: duckdb.DuckDBPyConnection, given: Iterable[Given], as_of_date: date, run_id: str) -> None:
    """Append outcomes to ``run.run_checks``, the table behind the mart ``audit_checks``."""
    rows = [
        (v.check_name, v.subject, as_of_date, v.status, v.severity, v.owner, v.observed, v.expected, at, run_id)
        for v, at in ((entry.verdict, entry.given_at) for entry in given)
    ]
    _insert(connection, "run_checks", rows)


def record_reconciliations(connection: duckdb.DuckDBPyConnection, rows: Iterable[Reconciliation]) -> None:
    _insert(connection, "run_reconciliations", [tuple(asdict(row).values()) for row in rows])


def _start_anew(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """The raw tables of the contract, all of them empty, and nothing of what runs have been told."""
    connection.execute("drop schema if exists raw cascade")
    for name in (*RUN_TABLES, "decisions_read"):
        connection.execute(f"drop table if exists run.{name} cascade")
    connection.execute("create schema raw")
    for table in contract.tables:
        connection.execute(f"create table raw.{table.raw_name} ({table.loaded_columns})")


def _empty_run_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what is missing; the run's own tables start empty, except the list of loaded batches."""
    connection.execute("create schema if not exists run")
    connection.execute("create schema if not exists ml")
    for name, columns in RUN_TABLES.items():
        connection.execute(f"create table if not exists run.{name} ({columns})")
        if name not in KEPT_BETWEEN_RUNS:
            connection.execute(f"delete from run.{name}")
    for name, columns in ML_TABLES.items():
        connection.execute(f"create or replace table ml.{name} ({columns})")


def _append(settings: Settings, connection: duckdb.DuckDBPyConnection, table: Table, batches: list[Batch]) -> None:
    amounts = [(batch.batch_id, *astuple(part)) for batch in batches for part in batch.amounts]
    _insert(connection, "run_batch_amounts", amounts)
    with_rows = [batch for batch in batches if batch.raw_file and batch.accepted]
    raw_files = [str(_as_landed(settings, batch)) for batch in with_rows]
    if raw_files:
        # A file that landed before a column was added to the contract has none of it: the empty table lends its own.
        columns = ", ".join(table.raw_columns)
        connection.execute(
            f"insert into run.run_fingerprints select ?, ?, {fingerprint(table)} "
            f"from (select {columns} from raw.{table.raw_name} where false union all by name "
            "select * from read_parquet(?, hive_partitioning = false, union_by_name = true))",
            [table.family, table.entity, raw_files],
        )
        connection.execute(
            f"""
            insert into raw.{table.raw_name} by name
            select rows.*, batches.known_at as known_from, {END_OF_TIME} as known_to, 1 as nth_interval
            from read_parquet(?, hive_partitioning = false, union_by_name = true) as rows
            inner join run.run_batches as batches on rows.batch_id = batches.batch_id
            """,
            [raw_files],
        )
    settle(connection, table.family, table.entity, [batch.batch_id for batch in with_rows])
    rejected = [
        str(settings.quarantine / batch.family / batch.entity / f"{batch.batch_id}.parquet")
        for batch in batches
        if batch.quarantined
    ]
    if rejected:
        connection.execute(
            """
            insert into run.run_quarantined_rows
            select split_part(split_part(filename, '/', -1), '.', 1), source_line, rule, column_name, raw_text
            from read_parquet(?, filename = true)
            """,
            [rejected],
        )


def _as_landed(settings: Settings, batch: Batch) -> Path:
    """The batch's raw file, which must hold the bytes that landed. Raises AlteredRaw when it does not."""
    file = settings.raw / str(batch.raw_file)
    found = file_sha256(file) if file.exists() else "no file"
    if found != batch.raw_sha256:
        raise AlteredRaw(
            f"raw zone: {file} is {found}, expected {batch.raw_sha256} as landed; restore it from a backup"
        )
    return file


def _batch_row(place: int, batch: Batch) -> tuple[Any, ...]:
    """The columns of ``run.run_batches``; ``place`` keeps the manifest's order."""
    _, *names = (column.split()[0] for column in RUN_TABLES["run_batches"].split(", "))
    return place, *(getattr(batch, name) for name in names)


def _table_name(batch: Batch) -> str:
    return f"{batch.family}.{batch.entity}"


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        values = pa.Table.from_pylist([{str(place): value for place, value in enumerate(row)} for row in rows])
        connection.register("values_to_insert", values)
        connection.execute(f"insert into run.{table} select * from values_to_insert")
        connection.unregister("values_to_insert")
