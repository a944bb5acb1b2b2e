"""A data set written as its company would send it: an initial delivery, then a file a day, with sources.yml and policy.

``send.sql`` makes a table per feed of ``sources.yml``, ``<system>_<entity>``, whose ``sent_on`` is the day a record
came up; what came up before the first graded day is sent on the day before it. Nothing is made up: no row, no amount.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from examples.tables import open_tables
from examples.wheels import FOLDER, ExamplesError
from orchestration.extract.registry import DATE_FIELD, Feed, load_registry
from orchestration.init import write_policy
from orchestration.settings import Settings


@dataclass(frozen=True)
class Delivered:
    company: str
    files: int
    lines: int
    initial: date
    last: date


def write_example(name: str, home: Path) -> Delivered:
    """Write ``home/landing``, ``home/sources.yml`` and ``home/policy``; the same data give the same rows.

    Raises ExamplesError for an unknown data set, one that cannot be had, or a home that is another company's.
    """
    with open_tables(name, home / "wheels") as connection:
        described = FOLDER / name / "sources.yml"
        sources = home / "sources.yml"
        if sources.exists() and sources.read_bytes() != described.read_bytes():
            raise ExamplesError(f"examples: {sources} is not that of {name}, remove it or choose a new home")
        registry = load_registry(described)
        connection.execute((FOLDER / name / "send.sql").read_text(encoding="utf-8"))
        [sold] = (feed for feed in registry.feeds if feed.table.name == "sales.order_line")
        [(lines, last)] = connection.execute(f"select count(*), max(sent_on) from {_table(sold)}").fetchall()
        initial = registry.start_date - timedelta(days=1)
        days = [initial + timedelta(days=offset) for offset in range((last - initial).days + 1)]
        files = sum(_write_feed(connection, feed, days, home / "landing") for feed in registry.feeds)
    shutil.copyfile(described, sources)
    shutil.rmtree(home / "policy", ignore_errors=True)
    write_policy(Settings(home=home), yaml.safe_load((FOLDER / name / "policy.yml").read_text(encoding="utf-8")))
    return Delivered(registry.company, files, lines, initial, last)


def _write_feed(connection: duckdb.DuckDBPyConnection, feed: Feed, days: list[date], landing: Path) -> int:
    """The feed's files, one a day; a table that is sent on change has none for a day without any. Returns how many."""
    folder = landing / feed.source_system
    folder.mkdir(parents=True, exist_ok=True)
    rows = f"select * exclude (sent_on) from {_table(feed)}"
    written = 0
    for day in days:
        of_day = f"{rows} where sent_on {'<=' if day == days[0] else '='} date '{day}'"
        [(count,)] = connection.execute(f"select count(*) from ({of_day})").fetchall()
        if count or feed.delivered == "daily":
            target = folder / feed.files[0].replace(DATE_FIELD, f"{day:%Y%m%d}")
            connection.execute(f"copy ({of_day} order by all) to '{target}' (format parquet, compression zstd)")
            written += 1
    return written


def _table(feed: Feed) -> str:
    return f"{feed.source_system}_{feed.table.entity}"
