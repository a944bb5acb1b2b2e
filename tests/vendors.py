"""The demo company in the shape of other vendors: their files, made by SQL from what a published home has accepted.

``vendors/<vendor>.sql`` has one view per object of the vendor, in a schema per family: its own columns, codes, signs
and times, and beside the facts some rows that the map must leave out. ``vendors/gaps.csv`` says what a vendor cannot
tell.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml
from installation import Published

from orchestration.extract.contract import Table, load_contract
from orchestration.extract.manifest import read_manifest
from orchestration.extract.registry import MAPS
from orchestration.extract.totals import SUFFIX

VENDORS = ("salesforce", "shopify", "quickbooks", "zoho_crm", "zoho_books", "fxiaoke", "kingdee", "odoo")
SHAPES = Path(__file__).with_name("vendors")
ZONE = ZoneInfo("Asia/Shanghai")

# How vendors write what the contract holds as an instant, a day, a price per piece or a person's two names.
WAYS = """
    create macro utc_z(t) as strftime(t at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.000Z');
    create macro utc_naive(t) as strftime(t at time zone 'UTC', '%Y-%m-%d %H:%M:%S');
    create macro utc_naive_day(d) as utc_naive(timezone('Asia/Shanghai', d::timestamp));
    create macro with_offset(t) as strftime(t at time zone 'Asia/Shanghai', '%Y-%m-%dT%H:%M:%S') || '+08:00';
    create macro local_time(t) as strftime(t at time zone 'Asia/Shanghai', '%Y-%m-%dT%H:%M:%S');
    create macro local_day(d) as strftime(d, '%Y-%m-%dT00:00:00');
    create macro day_ms(d) as epoch_ms(timezone('Asia/Shanghai', d::timestamp));
    create macro price(amount, quantity) as cast(amount / quantity as decimal(18, 8));
    create macro given_name(name) as case when contains(name, ' ') then split_part(name, ' ', 1) end;
    create macro family_name(name) as
        case when contains(name, ' ') then substr(name, strpos(name, ' ') + 1) else name end;
"""


@dataclass(frozen=True)
class Gap:
    """What a vendor cannot tell of a table. No column: it tells only the rows where ``instead`` holds; else what the
    column is instead, in SQL over the contract's columns."""

    vendor: str
    table: str
    column: str
    instead: str
    reason: str


def gaps(vendor: str, table: str) -> list[Gap]:
    with (SHAPES / "gaps.csv").open(encoding="utf-8", newline="") as file:
        found = [Gap(**row) for row in csv.DictReader(file)]
    return [gap for gap in found if (gap.vendor, gap.table) == (vendor, table)]


@dataclass(frozen=True)
class Version:
    """A file of a delivery: the day it speaks for, when it was extracted, and when what it says was first extracted."""

    day: date
    at: datetime
    rows_at: datetime


class Company:
    """The accepted rows of a home: ``raw.<family>_<entity>`` as they landed, ``told.…`` with personal values put back,
    and a vendor's views over them."""

    def __init__(self, published: Published, vendor: str) -> None:
        self.vendor = vendor
        self.shipped: dict[str, Any] = yaml.safe_load((MAPS / f"{vendor}.yml").read_text(encoding="utf-8"))["tables"]
        batches = {batch.batch_id: batch for batch in read_manifest(published.settings.manifest)}
        self._versions: dict[str, list[Version]] = {table: [] for table in self.shipped}
        for batch in batches.values():
            rows_of = batches[batch.duplicate_of or batch.batch_id]
            if f"{batch.family}.{batch.entity}" in self._versions:
                version = Version(batch.delivery_date, batch.extracted_at, rows_of.extracted_at)
                self._versions[f"{batch.family}.{batch.entity}"].append(version)
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'; create schema raw; create schema told;" + WAYS)
        self.connection.execute("create schema crm; create schema sales; create schema finance")
        vault = f"{published.settings.vault}/*/*/*.parquet"
        self.connection.execute(f"create table vault as select distinct token, value from read_parquet('{vault}')")
        for table in self.tables:
            self._tell(table, f"{published.settings.raw}/{table.family}/{table.entity}/*/*.parquet")
        self.connection.execute((SHAPES / f"{vendor}.sql").read_text(encoding="utf-8"))

    @cached_property
    def tables(self) -> list[Table]:
        """The tables that the vendor's shape tells: all of its map but those that the demo's numbers do not fit."""
        shape = (SHAPES / f"{self.vendor}.sql").read_text(encoding="utf-8")
        found = [load_contract().table(name) for name in self.shipped]
        return [table for table in found if f"told.{table.family}_{table.entity}" in shape]

    def _tell(self, table: Table, files: str) -> None:
        name = f"{table.family}_{table.entity}"
        self.connection.execute(
            f"""
            create table raw.{name} as
            select * exclude (delivery_date), delivery_date as told_for, extracted_at as told_at
            from read_parquet('{files}', hive_partitioning = true, hive_types = {{'delivery_date': date}})
            """
        )
        personal = [column.name for column in table.columns if column.pii == "P2"]
        put_back = ", ".join(
            f"coalesce((select value from vault where token = {column}), {column}) as {column}" for column in personal
        )
        replaced = f"* replace ({put_back})" if personal else "*"
        self.connection.execute(f"create table told.{name} as select {replaced} from raw.{name}")

    def name_of(self, table: Table) -> str:
        """What the vendor calls the object of a table."""
        return str(self.shipped[table.name]["from"])

    def view_of(self, table: Table) -> str:
        return f'{table.family}."{self.name_of(table)}"'

    def export(self, landing: Path) -> None:
        """Write the vendor's files, one a version of a delivery; one that feeds two tables is as late as the later."""
        for table in self.tables:
            (landing / table.family).mkdir(parents=True, exist_ok=True)
            for version in self._versions[table.name]:
                self.write_file(table, version, landing / table.family)

    def write_file(self, table: Table, version: Version, folder: Path) -> Path:
        alike = [other.name for other in self.tables if self.view_of(other) == self.view_of(table)]
        at = max(other.at for name in alike for other in self._versions[name] if other.day == version.day)
        rows = f"told_for = date '{version.day}'"
        if len(alike) == 1:
            at, rows = version.at, f"{rows} and told_at = '{version.rows_at}'"
        file = folder / f"{self.name_of(table)}_{version.day:%Y%m%d}_at_{at.astimezone(ZONE):%Y%m%dT%H%M%S}.csv"
        told = f"select * exclude (told_for, told_at) from {self.view_of(table)} where {rows} order by all"
        self.connection.execute(f"copy ({told}) to '{file}' (format csv, header true)")
        return file

    def first_file(self, table: Table, folder: Path, *, has_totals: bool) -> Path:
        """The first file of the table and, beside it, what the vendor would say it adds up to."""
        folder.mkdir(parents=True)
        version = self._versions[table.name][0]
        file = self.write_file(table, version, folder)
        names = (table.event_date, table.control_currency, table.control_amount)
        day, currency, amount = (name or "null" for name in names)
        facts = next((gap.instead for gap in gaps(self.vendor, table.name) if not gap.column), "true")
        totals = f"""
            select {day} as business_date, {currency} as currency, count(*) as records, sum({amount}) as amount
            from raw.{table.family}_{table.entity} where told_for = date '{version.day}' and {facts} group by all"""
        if has_totals:
            self.connection.execute(f"copy ({totals}) to '{file}{SUFFIX}' (format csv, header true)")
        return file

    def sources(self, demo: Mapping[str, Any]) -> dict[str, Any]:
        """The demo's sources.yml with the vendor's tables in place of its own, by the shipped map."""
        document = dict(demo) | {"sources": {}}
        for family, system in demo["sources"].items():
            own = yaml.safe_load((MAPS / f"{system['map']}.yml").read_text(encoding="utf-8"))["tables"]
            told = {table.entity: table for table in self.tables if table.family == family}
            bodies = {
                entity: (self.shipped if entity in told else own)[f"{family}.{entity}"]
                | (self._feed(told[entity], feed) if entity in told else feed)
                for entity, feed in system["tables"].items()
            }
            named = {key: value for key, value in system.items() if key != "map"}
            document["sources"][family] = named | {"tables": bodies}
        return document

    def _feed(self, table: Table, feed: Mapping[str, Any]) -> dict[str, Any]:
        name = f"{self.name_of(table)}_{{delivery_date}}_at_{{extracted_at}}.csv"
        return {"files": name, "format": "csv", "delivered": feed["delivered"]}

    def write_home(self, published: Published, home: Path, *, only_own: bool) -> None:
        """A home that is sent the vendor's files and, unless ``only_own``, the demo's of all other tables."""
        demo = yaml.safe_load((published.home / "sources.yml").read_text(encoding="utf-8"))
        document = self.sources(demo)
        told = {table.name for table in self.tables}
        for family, system in document["sources"].items():
            theirs = {entity: feed for entity, feed in system["tables"].items() if f"{family}.{entity}" not in told}
            if only_own:
                system["tables"] = {name: feed for name, feed in system["tables"].items() if name not in theirs}
                continue
            (home / "landing" / family).mkdir(parents=True, exist_ok=True)
            for entity, feed in theirs.items():
                for file in (published.home / "landing" / family).glob(f"{entity}_2*.{feed['format']}"):
                    shutil.copy2(file, home / "landing" / family)
        document["sources"] = {name: system for name, system in document["sources"].items() if system["tables"]}
        home.mkdir(parents=True, exist_ok=True)
        (home / "sources.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        self.export(home / "landing")
