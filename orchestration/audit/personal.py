"""Where personal data is, who may read it, and what the vault still holds of one customer. Counts, never a value."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.audit.raw_zone import RawZone, account_table
from orchestration.extract.contract import Table, load_contract
from orchestration.extract.vault import TOKEN_HEX_DIGITS
from orchestration.lineage.tree import Lineage
from orchestration.release.catalogue import read_release
from orchestration.release.explain import explain
from orchestration.settings import Settings

# P2 is replaced by tokens at landing; P3 is kept as delivered and must stop before the marts.
VAULTED, INNER = "P2", "P3"
TOKEN = f"[0-9a-f]+:[0-9a-f]{{{TOKEN_HEX_DIGITS}}}"
# Layers of the lineage that nobody reads but the pipeline.
INSIDE = ("source", "run", "policy", "staging", "intermediate", "ml")


@dataclass(frozen=True)
class PersonalColumn:
    """A column of the contract with personal values; ``when`` says for which rows, empty for all. ``marts``: columns of
    marts that a value of it flows into; of a column that is personal for some rows, the values of the others."""

    column: str
    pii: str
    when: str
    values_in: str
    readable_by: str
    marts: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """What the raw zone and the vault hold of a customer in one column: different tokens, and values behind them."""

    column: str
    tokens: int
    values: int
    files: int


def personal_columns(settings: Settings, release: Path) -> list[PersonalColumn]:
    """Every personal column of the contract. Raises NoRelease for a release without a lineage."""
    lineage = Lineage.of_release(release, down=True)
    return [
        PersonalColumn(
            f"{table.name}.{column.name}",
            column.pii,
            column.personal_when or "",
            str(place.relative_to(settings.home)),
            _readers(place),
            tuple(_marts(lineage, f"{table.name}.{column.name}")),
        )
        for table in load_contract().tables
        for column in table.columns
        if column.pii in (VAULTED, INNER)
        for place in [(settings.vault if column.pii == VAULTED else settings.raw) / table.family / table.entity]
    ]


def kept_of(settings: Settings, release: Path, customer: str) -> list[Kept]:
    """What is kept of a customer, by its id or any system's code, in each column that landing replaces by tokens.

    Raises UnknownCustomer when the release does not have it.
    """
    known_at = read_release(release)["known_at"]
    accounts = explain(release, customer).accounts
    contract = load_contract()
    with duckdb.connect() as connection:
        zone = RawZone(connection, settings, datetime.fromisoformat(known_at))
        zone.want(
            (account_table(row["family"], contract).name, row["source_system"], row["source_id"]) for row in accounts
        )
        return [kept for table in contract.tables if table.name in zone.loaded for kept in _kept(settings, zone, table)]


def _kept(settings: Settings, zone: RawZone, table: Table) -> Iterator[Kept]:
    files = [str(file) for file in sorted((settings.vault / table.family / table.entity).glob("*.parquet"))]
    for column in (column.name for column in table.columns if column.pii == VAULTED):
        tokens = zone.fetch(
            f"select distinct {column} as token from raw.{table.raw_name} "
            f"where regexp_full_match({column}, '{TOKEN}') order by token"
        )
        found = {"values": 0, "files": 0}
        if tokens and files:
            (found,) = zone.fetch(
                "select count(distinct token) as values, count(distinct filename) as files "
                "from read_parquet(?, filename = true) where column_name = ? and token in (select unnest(?))",
                [files, column, [row["token"] for row in tokens]],
            )
        yield Kept(f"{table.name}.{column}", len(tokens), found["values"], found["files"])


def _marts(lineage: Lineage, column: str) -> Iterator[str]:
    """Columns of published tables that a value of the column flows into, without a condition between."""
    if column not in lineage.columns:
        return
    for reached, conditions in lineage.reached(column).items():
        if conditions == 0 and lineage.layers[reached.rsplit(".", 1)[0]] not in INSIDE:
            yield reached


def _readers(place: Path) -> str:
    """Who may enter the place, by the permissions of the folders down to it in the home."""
    if not place.exists():
        return "not there"
    zone = place.parents[1]
    return f"{zone.name}/ {stat.filemode(zone.stat().st_mode)} of {zone.owner()}"
