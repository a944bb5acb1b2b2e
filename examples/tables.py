"""A data set as DuckDB tables. Each has its own, and one that all have in common, for whoever compares them:

``purchases``: one row per customer and day with a purchase: customer_id, purchase_date, net_amount, cost_amount (null
where no cost is known). Days are those the files write; money is DECIMAL, so that sums do not feel the order of rows.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from examples.wheels import FOLDER, data_folder


def open_tables(name: str, wheels: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory with the tables of ``examples/<name>/tables.sql``. Raises ExamplesError."""
    folder = data_folder(name, wheels)
    connection = duckdb.connect()
    connection.execute("set variable folder = ?", [str(folder)])
    connection.execute((FOLDER / name / "tables.sql").read_text(encoding="utf-8"))
    return connection
