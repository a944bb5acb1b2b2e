"""What judging costs: five million order lines in Parquet against twenty expectations of every kind, as JSON.

    python -m benchmarks.quality [--rows 5000000]

The lines are generated, so that every machine judges the same ones; judging is a process of its own, and its seconds
and peak memory are the whole of it, imports included. ``met`` compares them with the targets; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from data_quality.rules import Between, InSet, NoRowsWhere, NotNull, Rule, Unique
from data_quality.table_rules import HasColumns, RowCount
from data_quality.validate import Subject, validate
from orchestration.extract.contract import load_contract

TARGETS = {"wall_seconds": 12, "peak_mib": 1229}  # 1.2 GiB
TABLE = "sales.order_line"


def write_lines(file: Path, rows: int) -> None:
    """Order lines as the raw zone holds them: what the contract says of the table, its envelope, and no fault."""
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(
            f"""
            copy (
                select 'sales' as source_system, line_id as source_record_id, nth + 1 as source_line,
                    'batch-' || nth % 100 as batch_id, timestamptz '2025-01-01 20:00:00+00' as extracted_at,
                    false as is_deleted, line_id, 'SO' || nth // 4 as order_id, 'P' || hash(nth) % 500 as product_id,
                    cast(1 + hash(nth, 'q') % 20 as decimal(18, 4)) as quantity, gross_amount, discount_amount,
                    cast(gross_amount - discount_amount as decimal(18, 4)) as net_amount,
                    cast(gross_amount * 0.13 as decimal(18, 4)) as tax_amount,
                    cast(gross_amount * 0.6 as decimal(18, 4)) as cost_amount
                from (
                    select nth, 'SO' || nth // 4 || '-' || nth % 4 as line_id,
                        cast((1 + hash(nth, 'g') % 900000) / 100 as decimal(18, 4)) as gross_amount,
                        cast((hash(nth, 'g') % 900) / 1000 as decimal(18, 4)) as discount_amount
                    from range({rows}) as lines(nth)
                )
            ) to '{file}' (format parquet, compression zstd)
            """
        )


def suite(rows: int) -> tuple[Rule, ...]:
    """Twenty expectations: columns, rows, keys, nulls, a list, ranges, and what holds between columns."""
    table = load_contract().table(TABLE)
    required = ("line_id", "order_id", "product_id", "quantity", "gross_amount", "discount_amount", "net_amount")
    return (
        HasColumns(tuple((column.name, column.sql_type) for column in table.columns)),
        RowCount(minimum=rows, maximum=rows),
        Unique(("batch_id", "line_id")),
        Unique(("source_system", "source_record_id")),
        *(NotNull(column) for column in required),
        NotNull("cost_amount", severity="warning"),
        InSet("source_system", ("sales", "shop")),
        Between("gross_amount", minimum=0),
        Between("quantity", 0, 1000),
        Between("tax_amount", minimum=0),
        NoRowsWhere("net_amount_is_gross_less_discount", "gross_amount - discount_amount <> net_amount"),
        NoRowsWhere("quantity_is_not_zero", "quantity = 0"),
        NoRowsWhere("gross_amount_is_not_zero", "gross_amount = 0"),
        NoRowsWhere("line_names_its_order", "not starts_with(line_id, order_id)"),
    )


def measure(file: Path, rows: int) -> dict[str, Any]:
    """Judge the lines in this process: seconds, CPU seconds of all threads and peak memory in MiB."""
    rules = suite(rows)
    started = time.perf_counter()
    verdicts = validate([Subject(TABLE, f"select * from read_parquet('{file}')", rules)])
    if bad := [verdict for verdict in verdicts if verdict.status != "pass"]:
        raise SystemExit(f"the lines are sound, but not judged so: {bad}")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "expectations": len(verdicts),
        "wall_seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": usage.ru_maxrss // 1024,
    }


def measure_apart(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "order_lines.parquet"
        write_lines(file, rows)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.quality", "--rows", str(rows), "--file", str(file)]
        figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        megabytes = file.stat().st_size >> 20
    met = {name: figures[name] <= target for name, target in TARGETS.items()}
    return {"rows": rows, "parquet_mib": megabytes, **figures, "targets": TARGETS, "met": met}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--file", type=Path, help="judge these lines in this process")
    arguments = parser.parse_args()
    if arguments.file:
        print(json.dumps(measure(arguments.file, arguments.rows)))
    else:
        print(json.dumps(measure_apart(arguments.rows), indent=2))


if __name__ == "__main__":
    main()
