"""Which file carries which table, and how it is written: encodings, formats, the calendar of deliveries.

What is in a file is said by the table macros in ``send_*.sql``; what the source means by it, by the column maps.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

EVERYTHING_SINCE = date(1, 1, 1)


@dataclass(frozen=True)
class Feed:
    """One table of one source system. ``delivered``: daily, or on_change (on the first of a month)."""

    source: str
    entity: str
    delivered: str = "daily"
    form: str = "csv"

    @property
    def macro(self) -> str:
        return f"{self.source}_{self.entity}"


@dataclass(frozen=True)
class Source:
    """A system of the company; it is called like the family of its tables."""

    name: str
    about: str
    csv_encoding: str


SOURCES = (
    Source("crm", "Customers and everything that is done for them. Chinese headers, GB 18030.", "gb18030"),
    Source("sales", "The ERP's orders. Returned goods are positive here; the map turns them round.", "utf-8"),
    Source("finance", "The ledger of debtors. Workbooks for what people keep, CSV for what machines book.", "utf-8"),
    Source(
        "service", "The helpdesk. A line of JSON for each state of a ticket; whose it is, in the CRM's codes.", "utf-8"
    ),
    Source("survey", "Questionnaires of the helpdesk. Chinese headers.", "utf-8"),
    Source("marketing", "The campaign tool; it knows customers by the ERP's codes. Control groups are in it.", "utf-8"),
    Source("privacy", "The register of what people have agreed to, and taken back.", "utf-8"),
    Source("reference", "What people decided: tiers that a manager overrules, with a reason and an end.", "utf-8"),
    Source("enrich", "Growth of industries, in percent, bought from a bureau.", "utf-8"),
)

CSV_ENCODINGS = {source.name: source.csv_encoding for source in SOURCES}

WRITTEN_AS = {
    "csv": "format csv, header true",
    "jsonl": "format json",
    "parquet": "format parquet, compression zstd",
    "xlsx": "format xlsx, header true",
}

FEEDS = (
    Feed("crm", "account"),
    Feed("crm", "owner", delivered="on_change"),
    Feed("crm", "contact", delivered="on_change"),
    Feed("crm", "opportunity"),
    Feed("crm", "activity"),
    Feed("crm", "person", delivered="on_change"),
    Feed("crm", "lead"),
    Feed("sales", "customer", form="parquet"),
    Feed("sales", "order", form="parquet"),
    Feed("sales", "order_line", form="parquet"),
    Feed("sales", "return_line", form="parquet"),
    Feed("sales", "product", delivered="on_change", form="parquet"),
    Feed("sales", "contract", delivered="on_change", form="parquet"),
    Feed("finance", "customer", form="xlsx"),
    Feed("finance", "invoice", form="xlsx"),
    Feed("finance", "credit_note"),
    Feed("finance", "payment"),
    Feed("finance", "payment_allocation"),
    Feed("finance", "fx_rate"),
    Feed("finance", "writeoff", delivered="on_change"),
    Feed("finance", "cost_to_serve", delivered="on_change"),
    Feed("finance", "balance_daily", delivered="on_change", form="parquet"),
    Feed("service", "case", form="jsonl"),
    Feed("survey", "response", delivered="on_change"),
    Feed("marketing", "touch", delivered="on_change"),
    Feed("marketing", "event", delivered="on_change"),
    Feed("privacy", "consent", delivered="on_change"),
    Feed("reference", "override", delivered="on_change"),
    Feed("enrich", "industry", delivered="on_change"),
)


@dataclass(frozen=True)
class Deliveries:
    """The calendar: one initial load, then a file a day until ``last``."""

    initial: date
    last: date
    workbooks: bool

    @property
    def faulty_days(self) -> list[date]:
        """The days whose files carry the planted faults; what mends or repeats them comes up to the last day."""
        return [self.last - timedelta(days=back) for back in (4, 3, 2)]

    def of(self, feed: Feed) -> Iterator[tuple[date, date]]:
        """(since, until] of each file: a record is in it when it was created or changed in that time."""
        yield EVERYTHING_SINCE, self.initial
        since = self.initial
        for offset in range(1, (self.last - self.initial).days + 1):
            day = self.initial + timedelta(days=offset)
            if feed.delivered == "daily" or day.day == 1:
                yield since, day
                since = day

    def form(self, feed: Feed) -> str:
        return "csv" if feed.form == "xlsx" and not self.workbooks else feed.form


def write_deliveries(
    connection: duckdb.DuckDBPyConnection,
    deliveries: Deliveries,
    landing: Path,
    progress: Callable[[str], None] | None = None,
) -> int:
    """Write every file of the calendar under ``landing/<source>/``; returns how many."""
    files = 0
    for feed in FEEDS:
        if progress is not None:
            progress(f"demo: writing {feed.source} {feed.entity}")
        folder = landing / feed.source
        folder.mkdir(parents=True, exist_ok=True)
        form = deliveries.form(feed)
        (since, until), *later = deliveries.of(feed)
        rows = f"from {feed.macro}(date '{since}', date '{until}')"
        _write_file(connection, rows, folder / f"{feed.entity}_{until:%Y%m%d}.{form}", form, feed)
        _stage(connection, feed, later)
        # Waking a second thread for a few rows costs more than it brings: 7.0 → 4.4 CPU s for 1,200 files.
        connection.execute("set threads = 1")
        for _, until in later:
            rows = f"select * exclude (delivered_on) from staged where delivered_on = date '{until}' order by all"
            _write_file(connection, rows, folder / f"{feed.entity}_{until:%Y%m%d}.{form}", form, feed)
        connection.execute("reset threads")
        files += 1 + len(later)
    return files


def _stage(connection: duckdb.DuckDBPyConnection, feed: Feed, windows: list[tuple[date, date]]) -> None:
    """Put the rows of all later files into the table ``staged``; planning a feed's query for every day costs more
    than running it (10.3 → 7.0 CPU s for 1,200 files)."""
    calendar = ", ".join(f"(date '{since}', date '{until}')" for since, until in windows) or "(null::date, null::date)"
    connection.execute(
        f"""
        create or replace temp table staged as
        select calendar.until_day as delivered_on, told.*
        from (values {calendar}) as calendar (since_day, until_day),
            lateral (from {feed.macro}(calendar.since_day, calendar.until_day)) as told
        """
    )


def _write_file(connection: duckdb.DuckDBPyConnection, rows: str, target: Path, form: str, feed: Feed) -> None:
    encoding = CSV_ENCODINGS[feed.source]
    transcode = form == "csv" and encoding != "utf-8"
    written = target.with_suffix(".utf8") if transcode else target
    connection.execute(f"copy ({rows}) to '{written}' ({WRITTEN_AS[form]})")
    if transcode:
        with written.open(encoding="utf-8", newline="") as text, target.open("w", encoding=encoding, newline="") as out:
            shutil.copyfileobj(text, out, 1 << 20)
        written.unlink()


def sources_document(deliveries: Deliveries, title: str) -> str:
    """The ``sources.yml`` that describes these deliveries, with its explanations."""
    lines = [
        f"# The demo company's extracts ({title}).",
        "# Written by the demo; replace it with your own.",
        "# One entry per source system: its family in the contract, the zone of its clock, its column map",
        "# (orchestration/extract/maps/<map>.yml) and its tables. files: names below landing/<source>/, where",
        "# {delivery_date} is the day a file speaks for (YYYYMMDD) and {extracted_at} the time it was taken from the",
        "# system (YYYYMMDDTHHMMSS, local; else the end of the day): of one day the later file replaces the earlier.",
        "# The first file of a table is complete, later ones hold what was created or changed since. delivered: daily",
        "# (a day without a file is late) or on_change (no file, no change). Three of the last days are dirty, as real",
        "# systems are: planted.jsonl beside this file says with what, and what finds it.",
        'company: "华衡商贸 Huaheng Trading (demo)"   # how reports call it',
        f"start_date: {deliveries.initial + timedelta(days=1)}        # the first day that is graded",
        "sources:",
    ]
    for source in SOURCES:
        lines += [
            f"  # {source.about}",
            f"  {source.name}:",
            f"    family: {source.name}",
            "    timezone: Asia/Shanghai",
            f"    map: demo_{source.name}",
            "    tables:",
        ]
        for feed in (feed for feed in FEEDS if feed.source == source.name):
            form = deliveries.form(feed)
            encoding = f"encoding: {source.csv_encoding}, " if form == "csv" else ""
            day = f"{feed.entity}_{{delivery_date}}"
            lines += [
                f"      {feed.entity}: {{format: {form}, {encoding}delivered: {feed.delivered},",
                f'        files: ["{day}.{form}", "{day}_at_{{extracted_at}}.{form}"]}}',
            ]
    return "\n".join(lines) + "\n"
