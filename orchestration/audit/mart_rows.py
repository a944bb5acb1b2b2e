"""From a row of a published mart to the lines it rests on: of delivered files, or of the policy's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.audit.provenance import RATES, Source, SourceRow, rows_of_accounts, rows_of_records
from orchestration.audit.raw_zone import account_table
from orchestration.audit.rule_lines import located
from orchestration.errors import PlainError
from orchestration.extract.contract import load_contract
from orchestration.release.catalogue import read_release
from orchestration.release.report_queries import Row, fetch
from orchestration.settings import Settings

WHOLE = (
    "All rows of the customer. What each of them added is in its dossier: tiering audit export. Ranks and shares rest "
    "on every other customer's rows as well, expectations on the model, and history on what earlier days had known."
)


class NoRow(PlainError):
    """There is no such mart, column or row, or no delivered row of its own stands behind it."""


@dataclass(frozen=True)
class Place:
    """One line of one file: ``of`` is the table or policy file's kind of rule, ``record`` its key there."""

    file: str
    line: int
    of: str
    record: str
    state: str


@dataclass(frozen=True)
class Behind:
    """The lines behind a row; ``note`` says how narrow the answer is."""

    note: str
    places: tuple[Place, ...]


def rows_behind(settings: Settings, release: Path, mart: str, keys: Mapping[str, str]) -> Behind:
    """The lines behind the rows of a mart whose columns have these values, as known to the release. Raises NoRow."""
    with duckdb.connect() as marts:
        found = _chosen(marts, release, mart, keys)
        if mart == "policy_rules":
            return Behind("Lines of the policy in use.", tuple(_rule(rule) for rule in located(settings.policy, found)))
        if mart == "audit_quarantine":
            lines = [
                Place(r["file_name"], r["source_line"], r["entity"], r["raw_text"] or "", r["rule"]) for r in found
            ]
            return Behind("Lines that were set aside.", tuple(lines))
        known_at = datetime.fromisoformat(read_release(release)["known_at"])
        if mart == "customer_orders":
            orders = [("sales.order", row["source_system"], row["order_id"]) for row in found]
            source = rows_of_records(settings, known_at, orders)
            return Behind("The order, its lines and what came back of them.", _places(_without_rates(source)))
        customers = sorted({row["customer_id"] for row in found if row.get("customer_id")})
        if len(customers) != 1:
            raise NoRow(
                f"rows: {len(found)} rows of {mart} are of {len(customers)} customers, expected one: rows over all "
                "customers, or without one, rest on no delivered rows of their own; name a customer_id or an order"
            )
        identity = fetch(
            marts,
            f"select family, source_system, source_id from read_parquet('{release}/customer_identity.parquet') "
            "where customer_id = $customer order by all",
            customer=customers[0],
        )
        source = rows_of_accounts(
            settings, known_at, [(r["family"], r["source_system"], r["source_id"]) for r in identity]
        )
    if mart == "customer_identity":
        accounts = {(row["source_system"], row["source_id"]) for row in found}
        tables = {account_table(row["family"], load_contract()).name for row in found}
        own = [row for row in source.rows if row.table in tables and (row.source_system, row.record_id) in accounts]
        return Behind("The accounts as their systems list them.", _places(own))
    if mart == "customer_months":
        months = {row["month_date"].strftime("%Y-%m") for row in found}
        return Behind("Orders and returns of the month, with their lines.", _places(_of_months(source, months)))
    return Behind(WHOLE, _places(_without_rates(source)))


def _chosen(marts: duckdb.DuckDBPyConnection, release: Path, mart: str, keys: Mapping[str, str]) -> list[Row]:
    file = release / f"{mart}.parquet"
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in release.glob("*.parquet")))
        raise NoRow(f"rows: no mart {mart!r} in {release.name}, expected one of: {known}")
    relation = f"read_parquet('{file}')"
    columns = [row["column_name"] for row in fetch(marts, f"describe from {relation}")]
    if unknown := sorted(set(keys) - set(columns)):
        raise NoRow(f"rows: {mart} has no column {', '.join(unknown)}, expected some of: {', '.join(columns)}")
    meant = " and ".join(f"cast({column} as varchar) = ${column}" for column in keys)
    found = fetch(marts, f"select * from {relation} where {meant} order by all", **keys)
    if not found:
        said = " ".join(f"{column}={value}" for column, value in keys.items())
        raise NoRow(f"rows: no row of {mart} in {release.name} has {said}")
    return found


def _of_months(source: Source, months: set[str]) -> list[SourceRow]:
    """Rows of orders placed and of returns that came in the months, and of returns of these orders, in any version."""

    def is_of(row: SourceRow) -> bool:
        return f"{row.values['business_date']:%Y-%m}" in months

    orders = {row.record_id for row in source.rows if row.table == "sales.order" and is_of(row)}
    lines = {r.record_id for r in source.rows if r.table == "sales.order_line" and r.values["order_id"] in orders}
    back = {
        row.record_id
        for row in source.rows
        if row.table == "sales.return_line" and (is_of(row) or row.values["original_line_id"] in lines)
    }
    wanted = {"sales.order": orders, "sales.order_line": lines, "sales.return_line": back}
    return [row for row in source.rows if row.record_id in wanted.get(row.table, ())]


def _without_rates(source: Source) -> list[SourceRow]:
    return [row for row in source.rows if row.table != RATES]


def _places(rows: list[SourceRow]) -> tuple[Place, ...]:
    return tuple(Place(row.file, row.source_line, row.table, row.record_id, row.state) for row in rows)


def _rule(rule: Row) -> Place:
    if rule["file"] is None:
        raise NoRow(f"rows: the policy's files do not hold {rule['rule_kind']} {rule['subject']} {rule['rule_name']}")
    state = "as released" if rule["is_as_written"] else "says otherwise now"
    return Place(rule["file"], rule["line"], rule["rule_kind"], f"{rule['subject']} {rule['rule_name']}", state)
