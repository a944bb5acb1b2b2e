"""The ledger of decisions as intervals: in which days each customer had which tier, as published.

Read from ``decisions/`` file by file, in order, into ``run.run_tier_intervals``; a day that was read is not read again.
"""

from __future__ import annotations

from datetime import date

import duckdb

from orchestration.settings import Settings


def load_decisions(settings: Settings, connection: duckdb.DuckDBPyConnection) -> int:
    """Bring the intervals up to the ledger; the number of days read now.

    When a day before the newest one read has come or gone since, all days are read again.
    """
    connection.execute("create table if not exists run.decisions_read (as_of_date date)")
    ledger = sorted(date.fromisoformat(file.stem) for file in settings.decisions.glob("*.parquet"))
    read = sorted(row[0] for row in connection.execute("from run.decisions_read").fetchall())
    if ledger[: len(read)] != read:
        connection.execute("delete from run.decisions_read")
        connection.execute("delete from run.run_tier_intervals")
        read = []
    for day in ledger[len(read) :]:
        _append(connection, day, str(settings.decisions / f"{day}.parquet"))
    return len(ledger) - len(read)


def _append(connection: duckdb.DuckDBPyConnection, day: date, file: str) -> None:
    """End the intervals the day decides otherwise, and begin those it decides anew."""
    connection.execute(
        """
        update run.run_tier_intervals set valid_to = ?
        where valid_to is null and (customer_id, tier) not in (select customer_id, tier from read_parquet(?))
        """,
        [day, file],
    )
    connection.execute(
        """
        insert into run.run_tier_intervals
        select customer_id, tier, ?, null from read_parquet(?)
        where (customer_id, tier) not in (select customer_id, tier from run.run_tier_intervals where valid_to is null)
        """,
        [day, file],
    )
    connection.execute("insert into run.decisions_read values (?)", [day])
