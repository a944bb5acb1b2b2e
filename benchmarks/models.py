"""What each model costs in the pipeline beside its bare SQL: the same statements, run once by one DuckDB, as JSON.

    python -m benchmarks.models --home H

On a copy of the build file of a home whose last run was a full one (a demo's first day): dbt builds every model anew,
then another DuckDB runs what dbt compiled, in the same order, on the same number of threads. Seconds are CPU seconds of
the whole; those by model are wall seconds, the dearest in the pipeline first. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestration import dbt
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse

MODELS = ("--select", "resource_type:model", "--full-refresh")


def in_the_pipeline(settings: Settings) -> tuple[float, list[dbt.NodeResult]]:
    dbt.manifest_path(settings)
    cpu = time.process_time()
    results = dbt.build(settings, MODELS, command="run")
    broken = [f"{result.unique_id}: {result.message}" for result in results if result.status != "success"]
    if broken:
        raise SystemExit("\n".join(broken))
    return time.process_time() - cpu, results


def bare(settings: Settings, results: Sequence[dbt.NodeResult]) -> tuple[float, dict[str, float]]:
    """Each model as what it is in the build file, a table or a view."""
    compiled = dbt.compiled_models(settings)
    seconds = {}
    with open_warehouse(settings) as build:
        relations = {
            name: (schema, kind)
            for schema, name, kind in build.execute(
                "select table_schema, table_name, table_type from information_schema.tables"
            ).fetchall()
        }
    cpu = time.process_time()
    with open_warehouse(settings) as build:
        for result in results:
            name = result.unique_id.split(".")[-1]
            schema, kind = relations[name]
            started = time.perf_counter()
            kept = "view" if kind == "VIEW" else "table"
            build.execute(f"create or replace {kept} {schema}.{name} as {compiled[result.unique_id]}")
            seconds[name] = time.perf_counter() - started
    return time.process_time() - cpu, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings(home=arguments.home), home=Path(folder))
        shutil.copyfile(arguments.home / "warehouse.duckdb", settings.warehouse)
        shutil.copytree(arguments.home / "raw", settings.raw)
        pipeline, results = in_the_pipeline(settings)
        alone, seconds = bare(settings, results)
    found["cpu_seconds"] = {
        "pipeline": round(pipeline, 1),
        "bare": round(alone, 1),
        "ratio": round(pipeline / alone, 2),
    }
    names = [(result.unique_id.split(".")[-1], result.seconds) for result in results]
    found["wall_seconds_by_model"] = {
        name: [round(taken, 2), round(seconds[name], 2)] for name, taken in sorted(names, key=lambda pair: -pair[1])
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
