"""The front door as a user has it: ``tiering`` in a process of its own, and homes to use it on. No assertions here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

import duckdb

from orchestration.settings import PROJECT_ROOT, Settings

KEY = "the fixed key of the tests"
# Full counts instead of small ones: PROVE=1, as `make prove` sets it. Not TIERING_…, which settings would refuse.
PROVE = os.environ.get("PROVE") == "1"


@dataclass(frozen=True)
class Published:
    """A home with four decided days and its last release; ``next_day`` is delivered and not decided."""

    home: Path
    days: tuple[date, ...]
    next_day: date
    backfill: subprocess.CompletedProcess[str]
    run: subprocess.CompletedProcess[str]

    @property
    def release(self) -> Path:
        return current(self.home)

    @property
    def untouched(self) -> Path:
        """The same home beside it, which no command ever opens: files come and go where one runs."""
        return self.home.with_name("untouched")

    @property
    def settings(self) -> Settings:
        return settings_of(self.home)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, environment="test", pseudonym_key=KEY)


def current(home: Path) -> Path:
    """The folder that CURRENT points to, read without the project's own code."""
    return home / "releases" / (home / "releases" / "CURRENT").read_text(encoding="utf-8").strip()


def decisions(home: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((home / "decisions").iterdir())}


def copy_of(published: Published, folder: Path) -> Path:
    """A copy whose files keep their times, so that what has landed is known again without reading it."""
    home = folder / "home"
    shutil.copytree(published.untouched, home, symlinks=True)
    return home


def environment(home: Path) -> dict[str, str]:
    """The caller's environment without any TIERING_ variable but ours."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TIERING_", "DAGSTER_"))}
    return inherited | {
        "TIERING_HOME": str(home),
        "TIERING_ENV": "test",
        "TIERING_PSEUDONYM_KEY": KEY,
        "PYTHONWARNINGS": "ignore",
        "COLUMNS": "200",
    }


def start_tiering(home: Path, *arguments: str, told: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """``tiering`` as a process of its own, leader of its group; ``told`` is where its messages go."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=told,
        text=True,
        start_new_session=True,
    )


def tiering(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``tiering`` to its end; the exit code is left to the test."""
    process = start_tiering(home, *arguments)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


HOLD = """
import sys
from pathlib import Path
from orchestration.locking import writing
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse
settings = Settings(home=Path(sys.argv[1]))
with writing(settings), open_warehouse(settings) as build:
    build.execute("create or replace temp table held as select 1")
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def writer(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the write lock and has the build file open for writing; gone on leaving."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or process.stdout.readline() != "held\n":
            raise RuntimeError(f"the writer of {home} did not start")
        yield process
    finally:
        process.kill()
        process.communicate()


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of a query over files, in a DuckDB of its own."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(query, list(parameters)).fetchall()


def number_customers(build: duckdb.DuckDBPyConnection) -> None:
    """Give figures that a test has placed in the build the numbers that it has for their customers."""
    build.execute(
        "update intermediate.int_customers__indicated as told set customer_number = numbered.customer_number "
        "from intermediate.int_customers__numbered as numbered where told.customer_id = numbered.customer_id"
    )


def as_table(build: duckdb.DuckDBPyConnection, view: str) -> None:
    """Make a mart that the build holds as a view a table of the same rows, which a test can change."""
    build.execute(
        f"create temp table spelled_out as from {view}; drop view {view}; create table {view} as from spelled_out"
    )
    build.execute("drop table spelled_out")
