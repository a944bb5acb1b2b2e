"""The demo company: three years of a pretend wholesaler, written as its systems would send them.

The people and their trade are made by the SQL files beside this one; ``deliver.py`` writes the files, ``plant.py`` what
is wrong with them. Here: the sizes, the dates and the order of the steps. Nothing here knows a canonical name.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.demo.deliver import Deliveries, sources_document, write_deliveries
from orchestration.demo.plant import plant_faults
from orchestration.errors import PlainError
from orchestration.extract.duckdb_extensions import connect_with_excel

START = date(2023, 1, 1)
END = date(2025, 12, 31)

_SQL = Path(__file__).parent
_STEPS = {
    "chance": "the rules of chance",
    "words": "places, products and habits",
    "people": "customers",
    "contacts": "owners, contacts and their visits",
    "trade": "orders and their lines",
    "money": "invoices and payments",
    "standing": "moods, people and leads",
    "care": "tickets and surveys",
    "wealth": "balances and consents",
    "promotion": "campaigns and events",
    "agreements": "contracts and the cost of serving",
    "overrules": "what managers decide",
    "send_crm": "exports of the CRM",
    "send_sales": "exports of the sales system",
    "send_finance": "exports of finance",
    "send_relations": "exports of the helpdesk, the campaigns and the others",
}


class DemoError(PlainError):
    """The demo cannot be written as asked."""


@dataclass(frozen=True)
class Scale:
    """How large the company is. ``workbooks``: finance sends XLSX; one sheet holds about a million rows."""

    accounts: int
    owners: int
    orders_per_customer: float
    workbooks: bool = True

    @property
    def parties(self) -> int:
        """Customers of any system: 3 % of those in sales are unknown to the CRM."""
        return round(self.accounts * 1.027)


SCALES: dict[str, Scale] = {
    "tiny": Scale(accounts=150, owners=10, orders_per_customer=9.0),
    "demo": Scale(accounts=2_000, owners=25, orders_per_customer=11.3),
    "S": Scale(accounts=10_000, owners=60, orders_per_customer=7.7),
    "M": Scale(accounts=100_000, owners=250, orders_per_customer=7.7),
    "L": Scale(accounts=1_000_000, owners=800, orders_per_customer=7.7, workbooks=False),
}


@dataclass(frozen=True)
class DemoSummary:
    """What was written: records that exist at the end, however often they are sent; without planted ones."""

    accounts: int
    customers: int
    orders: int
    lines: int
    invoices: int
    activities: int
    files: int
    initial_load: date
    first_day: date
    last_day: date


def write_demo(
    home: Path,
    *,
    scale: str = "demo",
    daily_days: int = 92,
    seed: int = 20251231,
    progress: Callable[[str], None] | None = None,
) -> DemoSummary:
    """Write ``home/landing/<source>/`` and ``home/sources.yml``; the same arguments give the same bytes, XLSX included.

    One full load speaks for the day ``END - daily_days``; every later day has one file per daily table. Three days
    carry faults, which ``home/planted.jsonl`` lists. Raises DemoError for an unknown scale, days outside the history
    or too few for the faults, or a ``sources.yml`` that is not this demo's.
    """
    if scale not in SCALES:
        raise DemoError(f"demo: unknown scale {scale!r}, expected one of: {', '.join(SCALES)}")
    if not 5 <= daily_days <= 1000:
        raise DemoError(f"demo: daily_days is {daily_days}, expected 5 (three carry planted faults) to 1000")
    size = SCALES[scale]
    deliveries = Deliveries(initial=END - timedelta(days=daily_days), last=END, workbooks=size.workbooks)
    title = f"scale {scale}, seed {seed}, {daily_days} daily deliveries"
    sources = home / "sources.yml"
    document = sources_document(deliveries, title)
    if sources.exists() and sources.read_text(encoding="utf-8") != document:
        raise DemoError(f"demo: {sources} is not that of the demo ({title}), remove it or choose a new home")

    home.mkdir(parents=True, exist_ok=True)
    workshop = home / ".demo_workshop"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    try:
        with _connect(workshop) as connection:
            _make_company(connection, size, seed, progress)
            files = write_deliveries(connection, deliveries, home / "landing", progress)
            files += plant_faults(connection, deliveries, home / "landing", home / "planted.jsonl")
            summary = _summarise(connection, deliveries, files)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    sources.write_text(document, encoding="utf-8")
    return summary


def _connect(workshop: Path) -> duckdb.DuckDBPyConnection:
    return connect_with_excel(
        workshop / "extensions",
        str(workshop / "company.duckdb"),
        memory_limit="3GB",
        temp_directory=str(workshop / "spill"),
    )


def _make_company(
    connection: duckdb.DuckDBPyConnection, size: Scale, seed: int, progress: Callable[[str], None] | None
) -> None:
    """Run the SQL steps. They read the company's measures as DuckDB variables."""
    measures: dict[str, object] = {
        "seed": seed,
        "accounts": size.accounts,
        "parties": size.parties,
        "owners": size.owners,
        "orders_per_customer": size.orders_per_customer,
        "end_day": END,
    }
    for name, value in measures.items():
        connection.execute(f"set variable {name} = ?", [value])
    for step, what in _STEPS.items():
        if progress is not None and not step.startswith("send"):
            progress(f"demo: making {what}")
        connection.execute((_SQL / f"{step}.sql").read_text(encoding="utf-8"))


def _summarise(connection: duckdb.DuckDBPyConnection, deliveries: Deliveries, files: int) -> DemoSummary:
    def count(rows: str) -> int:
        row = connection.execute(f"select count(*) from {rows}").fetchone()
        return int(row[0]) if row else 0

    return DemoSummary(
        accounts=count("party where in_crm"),
        customers=count("party where in_sales"),
        orders=count("orders"),
        lines=count("lines"),
        invoices=count("invoice"),
        activities=count("activity"),
        files=files,
        initial_load=deliveries.initial,
        first_day=deliveries.initial + timedelta(days=1),
        last_day=deliveries.last,
    )
