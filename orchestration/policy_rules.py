"""What the rows of a policy must say to each other: the data tests that read nothing but its tables, run on a folder.

They are the tests that every run holds the policy to; here they run on a build file of their own that holds the policy
alone, and each row that breaks one is traced to its lines.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from orchestration import dbt
from orchestration.extract.registry import Registry, load_registry
from orchestration.policy import VERSIONS, check_folder, column_types, policy_rows, read_policies, read_rows
from orchestration.settings import POLICY_SEEDS, Settings, export_environment

BANDS = "policy_bands.csv"
# What an indicator that is an amount of money is called.
MONEY = re.compile(r"_amount(_\d+d)?$")
PLACE = "seed"  # a column of a test over several tables: which of them the row is about


@dataclass(frozen=True, order=True)
class BrokenRow:
    """What breaks a rule, and the lines that say so; a row that is missing has the file alone."""

    file: str
    lines: tuple[int, ...]
    got: str


@dataclass(frozen=True)
class BrokenRule:
    rule: str
    expected: str
    mend: str
    rows: tuple[BrokenRow, ...]


def policy_tests(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The data tests of the project that read no table but the policy's, each with ``expected`` and ``mend``."""
    tests = (node for node in manifest["nodes"].values() if node["resource_type"] == "test")
    return [node for node in tests if all(name.startswith("seed.") for name in node["depends_on"]["nodes"])]


def broken_rules(settings: Settings, folder: Path) -> list[BrokenRule]:
    """The rules that the folder's rows break, by name. Raises PolicyError for a folder that cannot be read as a policy.

    Writes nothing but a scratch folder that is gone afterwards.
    """
    check_folder(folder)
    with TemporaryDirectory() as home:
        scratch = replace(settings, home=Path(home))
        shutil.copytree(folder, scratch.own_policy, ignore=shutil.ignore_patterns(".*"))
        try:
            manifest = dbt.manifest_document(dbt.manifest_path(scratch))
            tests = {test["unique_id"]: test for test in policy_tests(manifest)}
            results = dbt.build(scratch, ["--select", "resource_type:seed", *(test["name"] for test in tests.values())])
        finally:
            export_environment(settings)
        with duckdb.connect(str(scratch.warehouse), read_only=True) as build:
            broken = [
                _broken(build, folder, tests[result.unique_id], result.sql)
                for result in results
                if result.resource_type == "test" and result.status != "pass"
            ]
    return sorted(broken, key=lambda rule: rule.rule)


def unfed_weights(settings: Settings, folder: Path) -> list[str]:
    """What counts for the tier in the last version and no extract feeds; nothing where there is no ``sources.yml``.

    Such a lens gives everybody its fallback: that is no fault, but its weight is lost.
    """
    if not settings.sources.exists():
        return []
    delivered = delivered_names(load_registry(settings.sources))
    last = max(read_policies(folder), key=lambda version: version.effective_from).policy_version
    missing = missing_feeds([row for _, row in policy_rows(folder / "policy_lenses.csv", last)], delivered)
    notes = []
    for line, row in policy_rows(folder / "policy_weights.csv", last):
        if row["target"] == "tier" and (absent := missing.get(row["factor"])):
            notes.append(
                f"policy_weights.csv line {line}: {row['factor']} weighs {row['weight']}, but {', '.join(absent)} is "
                f"not delivered by {settings.sources.name}: it judges nobody; give its weight to another lens"
            )
    return notes


def foreign_bounds(settings: Settings, folder: Path) -> list[str]:
    """The bounds of the last version that are amounts of money as shipped, where its reports are in another currency.

    Of what no extract feeds nothing is said: it judges nobody.
    """
    last = max(read_policies(folder), key=lambda version: version.effective_from).policy_version
    [(_, stated)] = policy_rows(folder / VERSIONS, last)
    shipped = {row["policy_version"]: row["reporting_currency"] for _, row in read_rows(POLICY_SEEDS / VERSIONS)}
    meant = {_bounds(row): shipped[row["policy_version"]] for _, row in read_rows(POLICY_SEEDS / BANDS)}
    lenses = [row for _, row in policy_rows(folder / "policy_lenses.csv", last)]
    unfed: dict[str, list[str]] = {}
    if settings.sources.exists():
        unfed = missing_feeds(lenses, delivered_names(load_registry(settings.sources)))
    # A rank compares customers with each other: only what is cut by a figure of its own has amounts for bounds.
    money = {row["lens"] for row in lenses if row["method"] == "cut" and MONEY.search(row["indicator"])}
    lines: dict[tuple[str, str], list[str]] = {}
    for line, row in policy_rows(folder / BANDS, last):
        currency = meant.get(_bounds(row), stated["reporting_currency"])
        if row["lens"] in money and not unfed.get(row["lens"]) and currency != stated["reporting_currency"]:
            lines.setdefault((row["lens"], currency), []).append(str(line))
    return [
        f"{BANDS} line {', '.join(named)}: {lens} has the shipped bounds, amounts in {currency}, but reports are in "
        f"{stated['reporting_currency']}: set your own"
        for (lens, currency), named in lines.items()
    ]


def _bounds(row: Mapping[str, str]) -> tuple[str, ...]:
    return row["lens"], row["band"], row["lower_bound"], row["upper_bound"]


def delivered_names(registry: Registry) -> set[str]:
    """The tables and columns of the contract that the extracts fill, as ``fed_by`` of a lens calls them."""
    tables = {feed.table.name for feed in registry.feeds}
    return tables | {f"{feed.table.name}.{column}" for feed in registry.feeds for column in feed.columns}


def missing_feeds(lenses: Sequence[Mapping[str, str]], delivered: Collection[str]) -> dict[str, list[str]]:
    """Each lens with what feeds it, or a lens that it reads, and is not delivered."""
    fed_by = {row["lens"]: row["fed_by"].split() for row in lenses}

    def missing(name: str) -> set[str]:
        if name in fed_by:
            return {absent for part in fed_by[name] for absent in missing(part)}
        return set() if name in delivered else {name}

    return {lens: sorted(missing(lens)) for lens in fed_by}


def _broken(build: duckdb.DuckDBPyConnection, folder: Path, test: dict[str, Any], sql: str) -> BrokenRule:
    found = build.execute(sql)
    # dbt's own tests call the column they look at by names of theirs.
    names = dict.fromkeys(("value_field", "unique_field"), str(test.get("column_name")))
    columns = [names.get(column[0], column[0]) for column in found.description]
    records = [dict(zip(columns, values, strict=True)) for values in found.fetchall()]
    seeds = _subject_first(test)
    rows = {_placed(folder, seeds, record) for record in records}
    meta = test["config"]["meta"]
    return BrokenRule(test["name"], meta["expected"], meta["mend"], tuple(sorted(rows)))


def _subject_first(test: dict[str, Any]) -> list[str]:
    """The tables that a test reads, the one it is about before the others."""
    told = test["config"]["meta"].get("dagster", {}).get("ref", {}).get("name")
    seeds = [name.split(".")[-1] for name in test["depends_on"]["nodes"]]
    return sorted(dict.fromkeys(seeds), key=lambda seed: seed != told)


def _placed(folder: Path, seeds: Sequence[str], record: Mapping[str, Any]) -> BrokenRow:
    """The lines whose names are those of the record, in the table that shares most of them."""
    types = column_types()

    def names_of(seed: str) -> dict[str, str]:
        texts = {column for column, kind in types[seed].items() if kind == "varchar"}
        return {name: value for name, value in record.items() if name in texts and value is not None}

    seed = record.get(PLACE) or max(seeds, key=lambda seed: len(names_of(seed)))
    names = names_of(seed).items()
    file = folder / f"{seed}.csv"
    lines = tuple(line for line, row in read_rows(file) if names <= row.items())
    got = ", ".join(f"{name} {value}" for name, value in record.items() if value is not None and name != PLACE)
    return BrokenRow(str(file), lines, got)
