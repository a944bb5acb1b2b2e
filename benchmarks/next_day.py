"""What the SQL of the next day costs beside that of a full build, with three years of history and with three months.

    python -m benchmarks.next_day [--scale M] [--times 10]

The demo company at ``scale`` is landed for a day and for the next; its raw tables are copied ``times`` over, each copy
with record ids of its own, into a build file without history, and the two halves of the dbt project are run on it as a
run does: the full build, whose decisions are written down, then the next day, which goes on from them. ``M`` ten times
over is the size L. Seconds are those of one thread, spent in models and in data tests; each part is told on stderr once
it is known. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ml.params import load_params
from ml.store import read_models
from orchestration import dbt
from orchestration.build_state import begin_build, end_build, go_on
from orchestration.decision_history import load_decisions, load_made_of, load_standings
from orchestration.demo.company import write_demo
from orchestration.extract.contract import load_contract
from orchestration.plan import PlannedDay
from orchestration.release.publish import write_incoming_decisions
from orchestration.running import run_days
from orchestration.scoring import score_run
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse
from orchestration.warehouse_tables import ML_TABLES, RUN_TABLES

SHORT_HISTORY_DAYS = 91
DATES = ("business_date", "issued_date", "applied_date", "paid_date")  # by which a table's history is cut
SHARED = ("batch_id", "owner_id", "product_id", "entity_id")  # ids that all copies have in common


def land_two_days(folder: Path, scale: str) -> tuple[Path, Path, date]:
    """The build files of a day and of the next one, run in full at ``scale``."""
    settings = Settings(home=folder / "company")
    first = write_demo(settings.home, scale=scale, daily_days=5).first_day
    files = []
    for day in (first, first + timedelta(days=1)):
        outcome = run_days(settings, day, day, lambda *_: None)
        if not outcome.success:
            raise SystemExit(f"the run failed: {outcome.blocking or outcome.errors}")
        files.append(folder / f"{day}.duckdb")
        shutil.copyfile(settings.warehouse, files[-1])
    return files[0], files[1], first


def copied(connection: duckdb.DuckDBPyConnection, table: str, times: int) -> str:
    """A select of the rows of ``source.<table>`` ``times`` over, with ids of their own from the second copy on."""
    columns = [row[0] for row in connection.execute(f"select column_name from (describe source.{table})").fetchall()]
    renamed = [name for name in columns if name.endswith(("_id", "_ref")) and name not in SHARED]
    values = ", ".join(f"case when nth = 0 then {name} else {name} || '~' || nth end as {name}" for name in renamed)
    return f"select rows.* replace ({values}) from source.{table} as rows cross join range({times}) as copies(nth)"


def fill(connection: duckdb.DuckDBPyConnection, source: Path, times: int, since: date | None) -> None:
    """The raw tables of a build file, ``times`` over; with ``since`` without the records dated before it."""
    connection.execute(f"attach '{source}' as source (read_only)")
    connection.execute("create schema raw")
    connection.execute("create schema run")
    connection.execute("create schema ml")
    for name, columns in ML_TABLES.items():
        connection.execute(f"create table ml.{name} ({columns})")
    for table in (f"raw.{table.raw_name}" for table in load_contract().tables):
        connection.execute(
            f"create table {table} as {copied(connection, table, times)} {_kept(connection, table, since)}"
        )
    connection.execute("create table run.build_state as from source.run.build_state")
    _copy_run_tables(connection)
    connection.execute("update run.build_state set project = null, known_at = null, as_of_date = null")
    connection.execute("insert into run.run_builds values (null, null, null)")
    connection.execute("detach source")


def decide(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """Write the decisions of the date that is built into the ledger of the home, as publishing does."""
    days = [row[0] for row in connection.execute("select as_of_date from run.run_dates").fetchall()]
    for day, file in write_incoming_decisions(settings, connection, days).items():
        os.replace(file, settings.decisions / f"{day}.parquet")


def advance(settings: Settings, connection: duckdb.DuckDBPyConnection, before: Path, after: Path, times: int) -> None:
    """Bring the raw tables from one day to the next, by the records of which the day says something, and tell the run
    what was decided of all copies."""
    connection.execute(f"attach '{after}' as source (read_only)")
    connection.execute(f"attach '{before}' as earlier (read_only)")
    for table in (f"raw.{table.raw_name}" for table in load_contract().tables):
        connection.execute(
            f"create or replace temp table changed as select distinct source_system, source_record_id "
            f"from (from source.{table} except all from earlier.{table})"
        )
        connection.execute(
            f"create or replace temp table rows_of_the_day as {copied(connection, table, times)} "
            "where (rows.source_system, rows.source_record_id) in (from changed)"
        )
        connection.execute(
            f"delete from {table} where (source_system, source_record_id) in "
            "(select source_system, source_record_id from rows_of_the_day)"
        )
        connection.execute(f"insert into {table} from rows_of_the_day")
    loaded = {row[0] for row in connection.execute("select batch_id from run.run_batches").fetchall()}
    _copy_run_tables(connection)
    days = [
        PlannedDay(*row)
        for row in connection.execute("select as_of_date, known_at, policy_version from run.run_dates").fetchall()
    ]
    newest = connection.execute("select known_at from run.build_state").fetchone()
    come = connection.execute("select batch_id, known_at from run.run_batches").fetchall()
    if newest is None or any(known_at <= newest[0] for batch, known_at in come if batch not in loaded):
        raise SystemExit("a batch of the next day tells of a time before it: no next day to measure")
    connection.execute("delete from run.run_decision_intervals")
    load_decisions(settings, connection)
    load_standings(settings, connection, days[0].as_of_date)
    load_made_of(settings, connection, days[0].as_of_date)
    go_on(connection, days, [], dbt.project_fingerprint())
    connection.execute("detach source")
    connection.execute("detach earlier")


def build(settings: Settings) -> dict[str, Any]:
    """Run both halves, scores between them; seconds of models and tests, and of the ten models that took longest."""
    with open_warehouse(settings) as connection:
        goes_on = begin_build(connection)
    foundation = (*dbt.FOUNDATION, *(dbt.DEFINITIONS if goes_on else ("--full-refresh",)))
    results = dbt.build(settings, foundation)
    with open_warehouse(settings) as connection:
        end_build(connection, dbt.project_fingerprint())
        score_run(connection, read_models(settings.models), load_params())
    results += dbt.build(settings, dbt.DECISIONS)
    broken = [f"{result.unique_id}: {result.message}" for result in results if result.status in ("error", "skipped")]
    if broken:
        raise SystemExit("\n".join(broken))
    models = [result for result in results if result.resource_type != "test"]
    longest = sorted(models, key=lambda result: -result.seconds)[:10]
    return {
        "models": _seconds(models),
        "tests": _seconds([result for result in results if result.resource_type == "test"]),
        "longest": {result.unique_id.split(".")[-1]: round(result.seconds, 2) for result in longest},
    }


def measure(folder: Path, before: Path, after: Path, times: int, since: date | None) -> dict[str, Any]:
    """A full build and the next day on top of it, in a build file of their own that is removed afterwards."""
    settings = Settings(home=folder / "measured", threads=1)
    shutil.copytree(folder / "company" / "models", settings.models)
    with open_warehouse(settings) as connection:
        fill(connection, before, times, since)
        lines = connection.execute("select count(*) from raw.raw_sales__order_line").fetchone()
    figures: dict[str, Any] = {"lines": lines[0] if lines else 0, "full_build": build(settings)}
    print(json.dumps(figures), file=sys.stderr, flush=True)
    with open_warehouse(settings) as connection:
        decide(settings, connection)
        advance(settings, connection, before, after, times)
    figures["next_day"] = build(settings)
    print(json.dumps(figures["next_day"]), file=sys.stderr, flush=True)
    figures["next_day_share"] = round(figures["next_day"]["models"] / figures["full_build"]["models"], 4)
    shutil.rmtree(settings.home)
    return figures


def _kept(connection: duckdb.DuckDBPyConnection, table: str, since: date | None) -> str:
    names = {row[0] for row in connection.execute(f"select column_name from (describe source.{table})").fetchall()}
    dated = next((name for name in DATES if name in names), None)
    if since is None:
        return ""
    if dated is None and "order_id" in names:  # lines have the date of their order
        orders = f"select order_id from source.raw.raw_sales__order where business_date >= date '{since}'"
        return f"where rows.order_id in ({orders})"
    return f"where rows.{dated} >= date '{since}'" if dated else ""


def _copy_run_tables(connection: duckdb.DuckDBPyConnection) -> None:
    for name in RUN_TABLES:
        connection.execute(f"create or replace table run.{name} as from source.run.{name}")
        if name in ("run_builds", "run_accounts"):
            connection.execute(f"delete from run.{name}")


def _seconds(results: Sequence[dbt.NodeResult]) -> float:
    return round(sum(result.seconds for result in results), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="M")
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, after, day = land_two_days(folder, arguments.scale)
        since = day - timedelta(days=SHORT_HISTORY_DAYS)
        figures = {"scale": arguments.scale, "times": arguments.times}
        figures["three_years"] = measure(folder, before, after, arguments.times, None)
        figures["three_months"] = measure(folder, before, after, arguments.times, since)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
