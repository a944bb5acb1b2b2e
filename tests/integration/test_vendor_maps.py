"""Promises of the shipped vendor maps: what a vendor's export says of the demo company is what its own extracts say."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
import yaml
from installation import PROVE, Published, current, rows, settings_of, tiering
from vendors import SHAPES, VENDORS, Company, gaps

from orchestration.extract import landing
from orchestration.extract.contract import Table, load_contract
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import MAPS, load_registry
from orchestration.settings import Settings

# The vendor with the most tables is graded in every run, all of them under PROVE=1.
GRADED = VENDORS if PROVE else ("odoo",)


def land(company: Company, published: Published, home: Path) -> tuple[Settings, list[Batch]]:
    company.write_home(published, home, only_own=True)
    settings = settings_of(home)
    feeds = load_registry(settings.sources).feeds
    candidates = landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max))
    assert [candidate.held for candidate in candidates if candidate.held] == []
    return settings, landing.commit(settings, candidates, decided_until=None)


def versions(relation: str, columns: str) -> str:
    """Rows with the day they were told for and which version of its delivery they are of."""
    return f"""select {columns}, told_for, dense_rank() over (partition by told_for order by told_at) as nth
        from {relation}"""


def expected(company: Company, table: Table) -> str:
    """The reference's rows, but for what the vendor cannot tell."""
    told = {gap.column: gap.instead for gap in gaps(company.vendor, table.name)}
    columns = ", ".join(
        f"cast({told.get(column.name, column.name)} as {column.sql_type}) as {column.name}" for column in table.columns
    )
    relation = f"(select * from raw.{table.family}_{table.entity} where {told.get('', 'true')})"
    return versions(relation, f"source_system, source_record_id, is_deleted, {columns}")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_export_lands_as_the_rows_of_the_demos_own_extracts(
    published_home: Published, tmp_path: Path, vendor: str
) -> None:
    company = Company(published_home, vendor)
    settings, batches = land(company, published_home, tmp_path / "home")
    for table in company.tables:
        of_table = [batch for batch in batches if f"{batch.family}.{batch.entity}" == table.name]
        own = [batch for batch in of_table if batch.duplicate_of is None]
        files = f"{settings.raw}/{table.family}/{table.entity}/*/*.parquet"
        landed = f"""(select * exclude (delivery_date), delivery_date as told_for, extracted_at as told_at
            from read_parquet('{files}', hive_partitioning = true, hive_types = {{'delivery_date': date}}))"""
        names = ", ".join(column.name for column in table.columns)
        found = versions(landed, f"source_system, source_record_id, is_deleted, {names}")
        wanted = expected(company, table)
        for some, others in ((wanted, found), (found, wanted)):
            different = company.connection.execute(f"({some}) except all ({others})").fetchall()
            assert different[:3] == [], (table.name, len(different), "missing" if some == wanted else "not expected")
        assert sum(batch.quarantined + batch.duplicates for batch in own) == 0, table.name
        (exported,) = company.connection.execute(f"select count(*) from {company.view_of(table)}").fetchall()[0]
        filtered = sum(batch.filtered for batch in own)
        assert sum(batch.records for batch in own) == sum(batch.accepted for batch in own) + filtered == exported
        assert (filtered > 0) == bool({"only", "without"} & set(company.shipped[table.name])), table.name


@pytest.mark.parametrize("vendor", GRADED)
def test_graded_by_a_vendors_export_every_customer_has_the_tier_of_the_demos_own(
    published_home: Published, tmp_path: Path, vendor: str
) -> None:
    home = tmp_path / "home"
    Company(published_home, vendor).write_home(published_home, home, only_own=False)
    ran = tiering(home, "backfill", "--from", str(published_home.days[0]), "--to", str(published_home.days[-1]))
    assert ran.returncode == 0, ran.stderr
    theirs, ours = (
        f"from read_parquet('{release}/customer_tiers.parquet')" for release in (current(home), published_home.release)
    )
    assert rows(f"select count(*) {ours}")[0][0] > 100
    for some, others in ((theirs, ours), (ours, theirs)):
        assert rows(f"({some}) except all ({others})") == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_shipped_map_is_taken_by_its_name_and_says_where_each_table_comes_from(tmp_path: Path, vendor: str) -> None:
    """A system has one family: a vendor with several is several systems with one folder."""
    shipped = yaml.safe_load((MAPS / f"{vendor}.yml").read_text(encoding="utf-8"))
    assert shipped["vendor"]
    assert "Traps:" in shipped["about"]
    assert all(body["from"] for body in shipped["tables"].values())
    feed = {"files": "x_{delivery_date}.csv", "format": "csv", "delivered": "daily"}
    systems = {
        f"{vendor}_{family}": {
            "family": family,
            "timezone": "Asia/Shanghai",
            "map": vendor,
            "folder": vendor,
            "tables": {name.partition(".")[2]: feed for name in shipped["tables"] if name.startswith(f"{family}.")},
        }
        for family in {name.partition(".")[0] for name in shipped["tables"]}
    }
    sources = tmp_path / "sources.yml"
    sources.write_text(yaml.safe_dump({"start_date": date(2025, 1, 1), "sources": systems}), encoding="utf-8")
    feeds = load_registry(sources).feeds
    assert {feed.table.name for feed in feeds} == set(shipped["tables"])
    assert {feed.folder for feed in feeds} == {vendor}


def test_every_gap_is_of_a_table_that_the_vendor_tells() -> None:
    with (SHAPES / "gaps.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["vendor"], row["table"], row["column"], row["reason"]) for row in csv.DictReader(file)]
    assert len({row[:3] for row in found}) == len(found)
    for vendor, table, column, reason in found:
        shipped = yaml.safe_load((MAPS / f"{vendor}.yml").read_text(encoding="utf-8"))["tables"]
        assert reason
        assert table in shipped
        assert column in {"", *(known.name for known in load_contract().table(table).columns)}
