"""What the ledger of decisions tells a run: which tier and stage of life each customer had on which days, as published,
how it stood towards each tier on the last of them, and what its score was made of.

The intervals are read from ``decisions/`` file by file, in order, into ``run.run_decision_intervals``; a day that was
read is not read again. What the last day says of a customer is read from one file into ``run.run_standings``, and,
for the causes of what has changed since, into ``run.run_decided_customers``, ``_factors`` and ``_accounts``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from orchestration.settings import Settings

# How a customer stands towards each tier, as a decision holds it: the rank of the best tier its score holds, and the
# last days that earned and kept each tier, by rank.
STANDING = "held_rank bigint, last_earned_dates date[], last_kept_dates date[]"
# Scheme → the column of a decision that holds its band. Null decides nothing, nor does a file from before the column.
SCHEMES = {"tier": "tier", "lifecycle": "lifecycle_stage"}


def decided_days(settings: Settings) -> list[date]:
    """The days in the ledger of decisions, in order."""
    return sorted(date.fromisoformat(file.stem) for file in settings.decisions.glob("*.parquet"))


def last_decided(settings: Settings, before: date) -> Path | None:
    """The decision of the last day before one; None without any."""
    days = [day for day in decided_days(settings) if day < before]
    return settings.decisions / f"{days[-1]}.parquet" if days else None


def load_decisions(settings: Settings, connection: duckdb.DuckDBPyConnection) -> int:
    """Bring the intervals up to the ledger; the number of days read now.

    When a day before the newest one read has come or gone since, all days are read again.
    """
    connection.execute("create table if not exists run.decisions_read (as_of_date date)")
    ledger = decided_days(settings)
    read = sorted(row[0] for row in connection.execute("from run.decisions_read").fetchall())
    if ledger[: len(read)] != read:
        connection.execute("delete from run.decisions_read")
        connection.execute("delete from run.run_decision_intervals")
        read = []
    for day in ledger[len(read) :]:
        _append(connection, day, str(settings.decisions / f"{day}.parquet"))
    return len(ledger) - len(read)


def load_standings(settings: Settings, connection: duckdb.DuckDBPyConnection, before: date) -> None:
    """How everybody stood on the last day decided before ``before``, a row for each tier. A file from before standings
    were written down has none: its customers begin anew."""
    connection.execute("delete from run.run_standings")
    last = last_decided(settings, before)
    if last is None:
        return
    columns = ", ".join(f"null::{kind} as {name}" for name, kind in (part.split() for part in STANDING.split(", ")))
    connection.execute(
        f"""
        insert into run.run_standings
        select customer_id, tier_rank, tier_rank >= held_rank, last_earned_dates[tier_rank], last_kept_dates[tier_rank]
        from (
            select *, unnest(range(1, len(last_kept_dates) + 1)) as tier_rank
            from (from read_parquet(?) union all by name select {columns} where false)
        )
        """,
        [str(last)],
    )


def load_made_of(settings: Settings, connection: duckdb.DuckDBPyConnection, before: date) -> None:
    """What the decision before ``before`` says of every customer's score, its tiers and accounts. A file from before
    these were written down tells nothing: the day after it has no causes."""
    for table in ("customers", "factors", "accounts"):
        connection.execute(f"delete from run.run_decided_{table}")
    last = last_decided(settings, before)
    if last is None:
        return
    if "factors" not in {row[0] for row in connection.execute("describe from read_parquet(?)", [str(last)]).fetchall()}:
        return
    connection.execute("create or replace temp table told as from read_parquet(?)", [str(last)])
    connection.execute(
        """
        insert into run.run_decided_customers
        select as_of_date, known_at, policy_version, model_version, customer_id, tier_score, score_tier, held_tier,
            decided_tier, tier from told
        """
    )
    connection.execute(
        """
        insert into run.run_decided_factors
        select customer_id, unnest(factors, recursive := true) from told
        """
    )
    connection.execute(
        "insert into run.run_decided_accounts select unnest(accounts) as account_key, customer_id from told"
    )
    connection.execute("drop table told")


def _append(connection: duckdb.DuckDBPyConnection, day: date, file: str) -> None:
    """End the intervals the day decides otherwise, and begin those it decides anew."""
    columns = ", ".join(f"null::varchar as {column}" for column in (*SCHEMES.values(), "main_cause"))
    bands = " union all ".join(
        f"select '{scheme}' as scheme, customer_id, {column} as band, "
        f"{'main_cause' if scheme == 'tier' else 'null'} as main_cause from decisions where {column} is not null"
        for scheme, column in SCHEMES.items()
    )
    connection.execute(
        f"""
        create or replace temp table decided as
        with decisions as (from read_parquet(?) union all by name select {columns} where false) {bands}
        """,
        [file],
    )
    connection.execute(
        """
        update run.run_decision_intervals set valid_to = ?
        where valid_to is null and (scheme, customer_id, band) not in (select scheme, customer_id, band from decided)
        """,
        [day],
    )
    connection.execute(
        """
        insert into run.run_decision_intervals
        select scheme, customer_id, band, ?, null, main_cause from decided
        where (scheme, customer_id, band) not in (
            select scheme, customer_id, band from run.run_decision_intervals where valid_to is null
        )
        """,
        [day],
    )
    connection.execute("drop table decided")
    connection.execute("insert into run.decisions_read values (?)", [day])
