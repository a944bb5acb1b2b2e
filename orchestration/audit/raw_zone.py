"""The raw zone as known at an instant, read by key into a DuckDB in memory, where the run's own settlement works on it.

The build file is not opened: only a run does that. Personal values never leave here, nor do their tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.extract.contract import Column, Contract, Table, load_contract
from orchestration.extract.manifest import read_manifest
from orchestration.record_versions import END_OF_TIME, settle
from orchestration.settings import Settings
from orchestration.warehouse_tables import RUN_TABLES

# Families whose rows say whose code they use, and what is looked up by a key that rows name.
BESIDE = ("service", "survey", "marketing", "reference")
NAMED = (("sales.product", "product_id", "sales.order_line"), ("enrich.industry", "industry_code", "crm.account"))
READ = "read_parquet(?, hive_partitioning = false, union_by_name = true)"


def references(table: Table, contract: Contract) -> dict[str, Table]:
    """Columns that name a record of another table of the family: the name ends with the other's one key column, as in
    ``original_line_id``. A table's own key names nobody else, and a parent in the same table is not followed."""
    return {
        column.name: other
        for column in table.columns
        for other in contract.family(table.family)
        if other is not table
        and len(other.key) == 1
        and table.key != (column.name,)
        and f"_{column.name}".endswith(f"_{other.key[0]}")
    }


def account_table(family: str, contract: Contract) -> Table:
    """The family's own list of customers."""
    return next(table for table in contract.family(family) if _lists_accounts(table))


class RawZone:
    """Tables of records asked for, all versions of each, settled with the batches that were known at an instant."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings, known_at: datetime) -> None:
        self.connection, self.settings, self.contract = connection, settings, load_contract()
        self.batches = [batch for batch in read_manifest(settings.manifest) if batch.known_at <= known_at]
        self.links = {table.name: references(table, self.contract) for table in self.contract.tables}
        above = {name: {parent.name for parent in links.values()} for name, links in self.links.items()}
        self.order = [self.contract.table(name) for name in TopologicalSorter(above).static_order()]
        self.loaded: set[str] = set()
        connection.execute("set timezone = 'UTC'; create schema raw; create schema run")
        connection.execute(f"create table run.run_batches ({RUN_TABLES['run_batches']})")
        connection.execute("create table wanted (name varchar, source_system varchar, id varchar)")
        columns = [column.split()[0] for column in RUN_TABLES["run_batches"].split(", ")]
        listed = [vars(batch) | {"place": place} for place, batch in enumerate(self.batches)]
        self._insert("run.run_batches", [{name: batch[name] for name in columns} for batch in listed])

    def want(self, wanted: Iterable[tuple[str, str, str]]) -> None:
        """Load records (table, source system, key), all that hangs on them, and the facts that these name in turn."""
        self._insert("wanted", [{"name": name, "source_system": system, "id": key} for name, system, key in wanted])
        for table in self.order:
            self._want_children(table)
        for table in reversed(self.order):
            self._load(table)
            self._want_parents(table)

    def want_beside(self) -> None:
        """Load what other families say of the wanted accounts, and the products and industries that rows name."""
        lists = ", ".join(f"'{table.name}'" for table in self.contract.tables if _lists_accounts(table))
        accounts = f"(select source_system, id from wanted where name in ({lists}))"
        for table in self.contract.tables:
            if table.family in BESIDE and "customer_ref" in {column.name for column in table.columns}:
                self.want_where(table, f"(customer_system, customer_ref) in {accounts}", [])
        for name, key, naming in NAMED:
            if naming in self.loaded:
                named = f"select {key} from raw.{self.contract.table(naming).raw_name}"
                self.want_where(self.contract.table(name), f"{key} in ({named})", [])

    def want_where(self, table: Table, condition: str, parameters: list[Any]) -> None:
        """Load the records of a table of which any version meets a condition."""
        if files := self._files(table):
            self.connection.execute(
                f"insert into wanted select distinct '{table.name}', source_system, source_record_id from {READ} "
                f"where {condition}",
                [files, *parameters],
            )
            self._load(table)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """The loaded versions of a table: where each was delivered, its ``state``, and ``values`` that may be shown.

        The fields, and what the states mean, are those of ``provenance.SourceRow``.
        """
        if table.name not in self.loaded:
            return []
        shown = ", ".join(f"'{column.name}': {_shown(column)}" for column in table.columns if _may_be_shown(column))
        return self.fetch(
            f"""
            select '{table.name}' as table, rows.source_system, rows.source_record_id as record_id,
                case
                    when rows.known_from >= rows.known_to then 'never in force'
                    when rows.known_to = {END_OF_TIME} then if(rows.is_deleted, 'deleted', 'in force')
                    when not exists (
                        select 1 from raw.visible_{table.family}__{table.entity} as visible
                        where visible.batch_id = rows.batch_id
                            and visible.visible_from <= rows.known_to and rows.known_to < visible.visible_to
                    ) then 'restated'
                    when exists (
                        select 1 from raw.{table.raw_name} as newer
                        where newer.source_system = rows.source_system and newer.known_from = rows.known_to
                            and newer.source_record_id = rows.source_record_id and newer.known_to > newer.known_from
                    ) then 'superseded'
                    else 'absent'
                end as state,
                batches.file, rows.source_line, batches.delivery_date, rows.batch_id, rows.known_from,
                nullif(rows.known_to, {END_OF_TIME}) as known_to, rows.is_deleted, {{{shown}}} as values
            from raw.{table.raw_name} as rows inner join run.run_batches as batches using (batch_id)
            order by rows.source_system, rows.source_record_id, batches.place, rows.source_line, rows.known_from
            """
        )

    def rejected(self, tables: Iterable[str]) -> list[dict[str, Any]]:
        """What was quarantined of the tables' known batches; the text of a personal column is left out."""
        named, folder = set(tables), self.settings.quarantine
        of_tables = {b.batch_id: b for b in self.batches if b.quarantined and f"{b.family}.{b.entity}" in named}
        files = [str(folder / b.family / b.entity / f"{b.batch_id}.parquet") for b in of_tables.values()]
        if not files:
            return []
        found = self.fetch(
            "select split_part(split_part(filename, '/', -1), '.', 1) as batch_id, source_line, rule, column_name, "
            "raw_text from read_parquet(?, filename = true, union_by_name = true) order by batch_id, source_line",
            [files],
        )
        for row in found:
            batch = of_tables[row.pop("batch_id")]
            table = self.contract.table(f"{batch.family}.{batch.entity}")
            personal = {column.name for column in table.columns if column.is_private}
            is_broken_line = row["column_name"] is None
            if row["column_name"] in personal or (is_broken_line and personal):
                row["raw_text"] = None
            row |= {"table": table.name, "file": batch.file}
        return found

    def fetch(self, query: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query, parameters or [])
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _want_children(self, table: Table) -> None:
        """Records of which any version names one that is wanted: a later version may name another."""
        named = [
            f"(source_system, {column}) in (select source_system, id from wanted where name = '{parent.name}')"
            for column, parent in self.links[table.name].items()
            if self.links[parent.name] or _lists_accounts(parent)  # nobody asks for owners and products
        ]
        if named and (files := self._files(table)):
            self.connection.execute(
                f"insert into wanted select distinct '{table.name}', source_system, source_record_id "
                f"from {READ} where {' or '.join(named)}",
                [files],
            )

    def _want_parents(self, table: Table) -> None:
        """What loaded rows name, but for accounts, which are asked for or somebody else's, and what hangs on none."""
        for column, parent in self.links[table.name].items():
            if table.name in self.loaded and self.links[parent.name] and not _lists_accounts(parent):
                self.connection.execute(
                    f"insert into wanted select distinct '{parent.name}', source_system, {column} "
                    f"from raw.{table.raw_name} where {column} is not null"
                )

    def _load(self, table: Table) -> None:
        """Read all versions of the wanted records and settle them, as a run does."""
        raw, files = f"raw.{table.raw_name}", self._files(table)
        if not files or not self.fetch("select 1 from wanted where name = ? limit 1", [table.name]):
            return
        self.connection.execute(f"create table {raw} ({table.loaded_columns})")
        self.connection.execute(
            f"insert into {raw} by name select rows.*, batches.known_at as known_from, {END_OF_TIME} as known_to, "
            f"1 as nth_interval from {READ} as rows inner join run.run_batches as batches using (batch_id) "
            "where (rows.source_system, rows.source_record_id) in "
            f"(select source_system, id from wanted where name = '{table.name}')",
            [files],
        )
        new = [row["batch_id"] for row in self.fetch(f"select distinct batch_id from {raw} order by batch_id")]
        settle(self.connection, table.family, table.entity, new)
        self.loaded.add(table.name)

    def _files(self, table: Table) -> list[str]:
        return [
            str(self.settings.raw / str(batch.raw_file))
            for batch in self.batches
            if (batch.family, batch.entity) == (table.family, table.entity) and batch.raw_file and batch.accepted
        ]

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.connection.register("values_to_insert", pa.Table.from_pylist(rows))
            self.connection.execute(f"insert into {table} by name select * from values_to_insert")


def _lists_accounts(table: Table) -> bool:
    return table.entity in ("account", "customer")


def _may_be_shown(column: Column) -> bool:
    return column.pii != "P3" and (column.pii != "P2" or column.personal_when is not None)


def _shown(column: Column) -> str:
    """The value where it is surely nobody's person; null elsewhere."""
    return f"case when not ({column.personal_when}) then {column.name} end" if column.personal_when else column.name
