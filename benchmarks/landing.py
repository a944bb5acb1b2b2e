"""What landing a file costs: two million order lines as CSV, landed, against DuckDB's own read and copy, as JSON.

    python -m benchmarks.landing [--rows 2000000] [--runs 5]

Landing reads the file with DuckDB, counts it with another reader, types and judges each value, proves that nothing is
lost and writes the raw file; DuckDB alone guesses the types and writes them. Each run is a process of its own; seconds
are those after its imports, the peak is the whole of it. The ways take turns, as other work slows both; of each figure
the median is told. ``met`` compares with the targets; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.extract import landing
from orchestration.extract.contract import load_contract
from orchestration.extract.registry import load_registry
from orchestration.settings import Settings

TARGETS = {"cpu_times_duckdb": 3.0, "wall_times_duckdb": 3.0, "peak_mib": 2048}
FILE = "shop/lines_20250101.csv"
COLUMNS = ("line_id", "order_id", "product_id", "quantity", "gross_amount", "discount_amount", "net_amount",
           "tax_amount", "cost_amount")  # fmt: skip
SOURCES = f"""
start_date: 2025-01-01
sources:
  shop:
    family: sales
    timezone: Asia/Shanghai
    tables:
      order_line: {{files: "lines_{{delivery_date}}.csv", format: csv, delivered: daily,
        columns: {{{", ".join(f"{name}: {name}" for name in COLUMNS)}}}}}
"""


def write_lines(file: Path, rows: int) -> None:
    """The same lines on every machine, about 80 bytes each."""
    file.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select 'SO' || nth // 4 || '-' || nth % 4 as line_id, 'SO' || nth // 4 as order_id,
                    'P' || hash(nth) % 500 as product_id, 1 + hash(nth, 'q') % 20 as quantity, gross_amount,
                    cast(0 as decimal(18, 2)) as discount_amount, gross_amount as net_amount,
                    cast(gross_amount * 0.13 as decimal(18, 2)) as tax_amount,
                    cast(gross_amount * 0.6 as decimal(18, 2)) as cost_amount
                from (select nth, cast((1 + hash(nth, 'g') % 900000) / 100 as decimal(18, 2)) as gross_amount
                    from range({rows}) as lines(nth))
            ) to '{file}' (format csv, header)
            """
        )


def land(home: Path) -> int:
    settings = Settings(home=home, pseudonym_key="benchmark")
    feeds = load_registry(settings.sources).feeds
    (candidate,) = landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max))
    (batch,) = landing.commit(settings, [candidate], decided_until=None)
    return batch.accepted


def copy(home: Path) -> int:
    with duckdb.connect() as connection:
        connection.execute(f"set threads = {Settings.threads}")
        target = home / "copied.parquet"
        row = connection.execute(
            f"copy (from read_csv('{home}/landing/{FILE}')) to '{target}' (format parquet, compression zstd)"
        ).fetchone()
    return int(row[0]) if row else 0


WAYS: dict[str, Callable[[Path], int]] = {"landing": land, "duckdb": copy}


def measure(way: str, home: Path) -> dict[str, Any]:
    """One way in this process: CPU and wall seconds, peak memory in MiB, rows written."""
    load_contract()
    wall, cpu = time.perf_counter(), time.process_time()
    rows = WAYS[way](home)
    return {
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "wall_seconds": round(time.perf_counter() - wall, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--way", choices=sorted(WAYS))
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way, arguments.home)))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "sources.yml").write_text(SOURCES, encoding="utf-8")
        write_lines(home / "landing" / FILE, arguments.rows)
        found: dict[str, Any] = {"rows": arguments.rows, "mib": (home / "landing" / FILE).stat().st_size >> 20}
        runs: dict[str, list[dict[str, Any]]] = {"duckdb": [], "landing": []}
        for _ in range(arguments.runs):
            for way, told in runs.items():
                shutil.rmtree(home / "raw", ignore_errors=True)
                command = [sys.executable, "-W", "ignore", "-m", "benchmarks.landing", "--way", way, "--home", folder]
                told.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    for way, told in runs.items():
        found[way] = {name: statistics.median(run[name] for run in told) for name in told[0]}
        found[way]["wall_seconds_of_all"] = [run["wall_seconds"] for run in told]
    reached = {
        f"{kind}_times_duckdb": round(found["landing"][f"{kind}_seconds"] / found["duckdb"][f"{kind}_seconds"], 2)
        for kind in ("cpu", "wall")
    } | {"peak_mib": found["landing"]["peak_mib"]}
    found |= {"reached": reached, "targets": TARGETS}
    found["met"] = {name: reached[name] <= target for name, target in TARGETS.items()}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
