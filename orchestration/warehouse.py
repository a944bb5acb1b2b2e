"""The build file: a cache of the raw zone plus what this run tells the models. It can be deleted at any time.

New batches are read once and appended to ``raw`` with the interval in which each record version was the newest
known; nothing else in the project writes ``raw`` or ``run``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

import duckdb
import pyarrow as pa

from data_quality.reconciliation import Reconciliation
from data_quality.verdicts import Verdict
from orchestration.extract.contract import Contract, Table, load_contract
from orchestration.extract.manifest import Batch
from orchestration.plan import PlannedDay
from orchestration.settings import Settings

END_OF_TIME = "9999-12-31 00:00:00+00"

RUN_TABLES = {
    "run_dates": "as_of_date date, known_at timestamptz, policy_version varchar, model_version varchar, "
    "is_release_date boolean",
    "run_batches": "batch_id varchar, source_system varchar, family varchar, entity varchar, file varchar, "
    "sha256 varchar, delivery_date date, version bigint, records bigint, accepted bigint, duplicates bigint, "
    "quarantined bigint, known_at timestamptz",
    "run_quarantined_rows": "batch_id varchar, source_line bigint, rule varchar, column_name varchar, raw_text varchar",
    "run_checks": "check_name varchar, subject varchar, as_of_date date, status varchar, severity varchar, "
    "owner varchar, observed varchar, expected varchar, checked_at timestamptz, run_id varchar",
    "run_reconciliations": "subject varchar, measure varchar, expected decimal(38,4), observed decimal(38,4), "
    "residual decimal(38,4), status varchar",
    "run_releases": "release_id varchar, as_of_date date, known_at timestamptz, policy_version varchar, "
    "customer_count bigint, net_amount_365d decimal(18,4), published_at timestamptz",
}


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the build file, closed on leaving: DuckDB's lock is absolute."""
    settings.home.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": str(settings.threads),
        "memory_limit": settings.memory_limit,
        "temp_directory": str(settings.scratch / "spill"),
        "autoinstall_known_extensions": "false",
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
    releases: Sequence[dict[str, Any]],
) -> int:
    """Bring ``raw`` up to the manifest and write this run's dates. Returns the number of batches read now."""
    contract = load_contract()
    connection.execute("begin")
    _drop_if_built_for_another_contract(connection, contract)
    _create_tables(connection, contract)
    loaded = {row[0] for row in connection.execute("select batch_id from run.run_batches").fetchall()}
    new = sorted((batch for batch in batches if batch.batch_id not in loaded), key=_table_name)
    for name, group in groupby(new, key=_table_name):
        _append(settings, connection, contract.table(name), list(group))
    release_date = max(day.as_of_date for day in days)
    _insert(
        connection,
        "run_dates",
        [(d.as_of_date, d.known_at, d.policy_version, "none", d.as_of_date == release_date) for d in days],
    )
    _insert(connection, "run_releases", [tuple(release.values()) for release in releases])
    connection.execute("commit")
    return len(new)


def record_checks(
    connection: duckdb.DuckDBPyConnection, verdicts: Iterable[Verdict], as_of_date: date, run_id: str
) -> None:
    """Append outcomes to ``run.run_checks``, the table behind the mart ``audit_checks``."""
    now = datetime.now(UTC)
    rows = [
        (v.check_name, v.subject, as_of_date, v.status, v.severity, v.owner, v.observed, v.expected, now, run_id)
        for v in verdicts
    ]
    _insert(connection, "run_checks", rows)


def record_reconciliations(connection: duckdb.DuckDBPyConnection, rows: Iterable[Reconciliation]) -> None:
    _insert(connection, "run_reconciliations", [tuple(asdict(row).values()) for row in rows])


def built_from(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The fingerprint of the dbt project whose views and seeds stand in this build file."""
    row = connection.execute("select project from run.built_for").fetchone()
    return row[0] if row else None


def record_built_from(connection: duckdb.DuckDBPyConnection, project: str) -> None:
    connection.execute("update run.built_for set project = ?", [project])


def _drop_if_built_for_another_contract(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """The build is a cache: one made for other columns is emptied, and filled again from the raw zone."""
    wanted = hashlib.sha256(repr(contract).encode()).hexdigest()
    connection.execute("create schema if not exists run")
    connection.execute("create table if not exists run.built_for (contract varchar, project varchar)")
    if connection.execute("select contract from run.built_for").fetchall() != [(wanted,)]:
        connection.execute("drop schema if exists raw cascade")
        for name in RUN_TABLES:
            connection.execute(f"drop table if exists run.{name} cascade")
        connection.execute("delete from run.built_for")
        connection.execute("insert into run.built_for values (?, null)", [wanted])


def _create_tables(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make what is missing; the run's own tables start empty, except the list of loaded batches."""
    connection.execute("create schema if not exists raw")
    connection.execute("create schema if not exists run")
    for table in contract.tables:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.raw_columns.items())
        connection.execute(
            f"create table if not exists raw.{table.raw_name} ({columns}, known_from timestamptz, known_to timestamptz)"
        )
    for name, columns in RUN_TABLES.items():
        connection.execute(f"create table if not exists run.{name} ({columns})")
        if name not in ("run_batches", "run_quarantined_rows"):
            connection.execute(f"delete from run.{name}")


def _append(settings: Settings, connection: duckdb.DuckDBPyConnection, table: Table, batches: list[Batch]) -> None:
    _insert(
        connection,
        "run_batches",
        [
            (
                b.batch_id,
                b.source_system,
                b.family,
                b.entity,
                b.file,
                b.sha256,
                b.delivery_date,
                b.version,
                b.records,
                b.accepted,
                b.duplicates,
                b.quarantined,
                b.known_at,
            )
            for b in batches
        ],
    )
    raw_files = [str(settings.raw / batch.raw_file) for batch in batches if batch.accepted]
    if raw_files:
        connection.execute(
            f"""
            insert into raw.{table.raw_name} by name
            select rows.*, batches.known_at as known_from, timestamptz '{END_OF_TIME}' as known_to
            from read_parquet(?, hive_partitioning = false, union_by_name = true) as rows
            inner join run.run_batches as batches on rows.batch_id = batches.batch_id
            """,
            [raw_files],
        )
        _supersede(connection, table, batches)
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


def _supersede(connection: duckdb.DuckDBPyConnection, table: Table, batches: list[Batch]) -> None:
    """Close the interval of each record version at the next version of the same record.

    Recomputed for every record that the new batches touch, from all its versions, so that the order in which
    batches arrive does not matter. A table with a single batch has nothing to supersede.
    """
    raw = f"raw.{table.raw_name}"
    count = connection.execute(
        "select count(*) from run.run_batches where family = ? and entity = ?", [table.family, table.entity]
    ).fetchone()
    if count is None or count[0] <= 1:
        return
    connection.execute(
        f"""
        update {raw} as versions
        set known_to = next_versions.known_to
        from (
            select rows.source_system, rows.source_record_id, rows.batch_id,
                coalesce(
                    lead(rows.known_from) over (
                        partition by rows.source_system, rows.source_record_id
                        order by rows.known_from, batches.delivery_date, batches.version
                    ),
                    timestamptz '{END_OF_TIME}'
                ) as known_to
            from {raw} as rows
            inner join run.run_batches as batches on rows.batch_id = batches.batch_id
            where (rows.source_system, rows.source_record_id) in (
                select (source_system, source_record_id) from {raw} where batch_id in (select unnest(?))
            )
        ) as next_versions
        where versions.source_system = next_versions.source_system
            and versions.source_record_id = next_versions.source_record_id
            and versions.batch_id = next_versions.batch_id
            and versions.known_to <> next_versions.known_to
        """,
        [[batch.batch_id for batch in batches]],
    )


def _table_name(batch: Batch) -> str:
    return f"{batch.family}.{batch.entity}"


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        values = pa.Table.from_pylist([{str(place): value for place, value in enumerate(row)} for row in rows])
        connection.register("values_to_insert", values)
        connection.execute(f"insert into run.{table} select * from values_to_insert")
        connection.unregister("values_to_insert")
