"""What the build file's tables hold, so that a day goes on from the last one and reads only what is new.

The state is kept in ``run.build_state`` between runs; ``run.run_builds`` tells the models of one run what they may
go on from. Where in doubt nothing stands, and everything is built from the raw zone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb

from orchestration.extract.contract import Contract
from orchestration.plan import PlannedDay

BUILD_STATE = (
    "contract varchar, project varchar, policy_version varchar, known_at timestamptz, as_of_date date, "
    "as_of_known_at timestamptz"
)


def stands_for(connection: duckdb.DuckDBPyConnection, contract: Contract, run_tables: Mapping[str, str]) -> bool:
    """Whether the build file was made for the contract, and with these columns of the tables that tell of runs.

    If not, it is taken to be from now on, and holds nothing.
    """
    wanted = hashlib.sha256(repr((contract, sorted(run_tables.items()))).encode()).hexdigest()
    connection.execute("create schema if not exists run")
    connection.execute(f"create table if not exists run.build_state ({BUILD_STATE})")
    if connection.execute("select contract from run.build_state").fetchall() == [(wanted,)]:
        return True
    connection.execute("delete from run.build_state")
    connection.execute("insert into run.build_state (contract) values (?)", [wanted])
    return False


def begin_build(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the models may go on from what stands. Until the build has ended, the tables stand as of no date.

    A build that is repeated without its inputs, after it failed or even after it succeeded, finds its date gone.
    """
    connection.execute(
        """
        update run.run_builds set as_of_date = null, as_of_known_at = null
        where as_of_date is distinct from (select as_of_date from run.build_state)
        """
    )
    connection.execute("update run.build_state set as_of_date = null, as_of_known_at = null")
    row = connection.execute("select known_at is not null from run.run_builds").fetchone()
    return bool(row and row[0])


def end_build(connection: duckdb.DuckDBPyConnection, project: str) -> None:
    """Note what the incremental tables hold now, for the next run to go on from."""
    connection.execute(
        """
        update run.build_state
        set project = ?, policy_version = dates.policy_version, as_of_date = dates.as_of_date,
            as_of_known_at = dates.known_at, known_at = (select max(known_at) from run.run_batches)
        from run.run_dates as dates where dates.is_release_date
        """,
        [project],
    )


def go_on(
    connection: duckdb.DuckDBPyConnection, days: Sequence[PlannedDay], newly_known: Sequence[datetime], project: str
) -> None:
    """Tell the models what they may go on from, in ``run.run_builds`` and ``run.run_accounts``.

    ``newly_known``: known_at of the batches loaded just now. Nothing stands of another project or policy version,
    nor when a batch tells of a time that was built already: only then can what was known change. Such a batch is rare:
    it came after a run that decided nothing. Tables as of a date stand for later dates only.
    """
    row = connection.execute(
        "select project, policy_version, known_at, as_of_date, as_of_known_at from run.build_state"
    ).fetchone()
    built_project, policy_version, known_at, as_of_date, as_of_known_at = row or (None,) * 5
    if (
        (built_project, policy_version) != (project, days[0].policy_version)
        or known_at is None
        or any(instant <= known_at for instant in newly_known)
    ):
        connection.execute("update run.build_state set project = null, known_at = null")
        known_at = as_of_date = None
    if as_of_date is None or days[0].as_of_date <= as_of_date or days[0].known_at < as_of_known_at:
        as_of_date = as_of_known_at = None
    connection.execute("insert into run.run_builds values (?, ?, ?)", [known_at, as_of_date, as_of_known_at])
    if as_of_date is not None:
        connection.execute(
            """
            insert into run.run_accounts
            select source_system, source_id, family, customer_id
            from intermediate.int_customers__identity where valid_to = date '9999-12-31'
            """
        )
