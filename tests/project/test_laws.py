"""The laws of CONTRIBUTING.md, each held by one test over the working tree. How they are checked is in laws*.py."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner
from laws import Model, Offence, column_offence, layer_offences, name_offence, source_offences, stray_text
from laws_python import code_running_formats, environment_reads, import_circle, import_offences, python_clocks
from laws_sql import business_numbers, engine_words, narrow_windows, sql_clocks, sql_code, words

from orchestration.extract.contract import load_contract
from orchestration.extract.dbt_yaml import staging_file

ROOT = Path(__file__).resolve().parents[2]
DBT = ROOT / "dbt_project"
DEPARTMENTS = ("orchestration", "ml", "data_quality")
NOT_OURS = {"target", "logs", "data", "dist", "build", "node_modules", "__pycache__"}

# The only places that may ask the time, with how often and why: none of it reaches a mart that is not operational.
CLOCK_USES = {
    "orchestration/extract/database.py": (
        1,
        "asks the server, which is the sender: extracted_at",
    ),
    "orchestration/extract/landing.py": (1, "landed_at, operational"),
    "data_quality/verdicts.py": (1, "given_at, operational"),
    "orchestration/release/publications.py": (1, "at, operational"),
    "orchestration/assets/delivery.py": (1, "published_at, operational"),
    "orchestration/cli_policy.py": (1, "approved_at of a new policy version, as a person states it"),
}
# Constants of an algorithm, which no company could want otherwise.
CONSTANTS = {"int_accounts__matched": {"6": "rounds in which labels spread; a data test holds that they settled"}}
# Windows ordered by one column that is unique in its partition, and why it is.
TOTAL_ORDERS = {
    "int_account_dates__ranged": "changes and lasting are grouped by the partition and valid_from",
    "ledger_windows": "daily_changes is grouped by the partition and valid_from",
    "customer_windows": "daily_changes is grouped by the partition and valid_from",
    "int_customer_days": "daily_changes is grouped by the partition and valid_from",
    "int_customers__identity": "matched has one row an account and as-of date",
    "history": "a customer has one band of a scheme a date, and one interval before the run that is not over",
    "tier_movements": "intervals of a customer never overlap",
    "int_run_dates__ordered": "as-of dates are unique",
    "int_run_dates__compared": "as-of dates are unique",
    "causes_shares": "a factor has a cause once",
    "int_tiers__held": "scored is grouped by customer and date, and a tier has one rank",
    "fallbacks": "a lens is in force once on a date",
    "int_customers__numbered": "grouped by customer",
    "int_customers__paid": "the place of one of equal days does not matter, only the days are read",
    "int_factors__contributed": "place numbers the factors of a version",
    "features": "a customer has one row a day of trade",
    "customer_abc": "by_value is grouped by the partition and the margin",
}


@cache
def tree() -> tuple[Path, ...]:
    """Every file of the project, without what git ignores, hidden folders and other people's."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        ours = [name for name in folders if name not in NOT_OURS and not name.startswith("data-")]
        folders[:] = [name for name in ours if name == ".ci" or not name.startswith(".")]
        found += [Path(folder) / name for name in names]
    return tuple(sorted(found))


def files(*tops: str, suffix: str = "") -> list[Path]:
    return [path for path in tree() if path.name.endswith(suffix) and (not tops or _is_under(path, tops))]


def _is_under(path: Path, tops: Iterable[str]) -> bool:
    return any(path.is_relative_to(ROOT / top) for top in tops)


def offenders(paths: Iterable[Path], check: Callable[[str], Iterable[Offence]]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in paths
        for line, what in check(path.read_text(encoding="utf-8"))
    ]


def listing(found: Iterable[str]) -> str:
    return "offenders:\n" + "\n".join(found)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What dbt understands of the project, parsed once and away from the project's own target folder."""
    target = str(tmp_path_factory.mktemp("dbt"))
    places = ["--project-dir", str(DBT), "--profiles-dir", str(DBT), "--target-path", target, "--log-path", target]
    result = dbtRunner().invoke(["parse", "--quiet", *places])
    assert result.success, result.exception
    document: dict[str, Any] = json.loads((Path(target) / "manifest.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="session")
def nodes(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return list(manifest["nodes"].values())


def _folder(node: dict[str, Any]) -> str:
    path = Path(node["original_file_path"]).parent
    return path.relative_to(path.parts[0]).as_posix()


def _of_kind(nodes: list[dict[str, Any]], *kinds: str, under: str = "") -> Iterator[dict[str, Any]]:
    return (node for node in nodes if node["resource_type"] in kinds and _folder(node).startswith(under))


@pytest.fixture(scope="session")
def graph(nodes: list[dict[str, Any]]) -> dict[str, Model]:
    def parents(node: dict[str, Any], *kinds: str) -> tuple[str, ...]:
        read = node.get("depends_on", {}).get("nodes", [])
        return tuple(name.split(".")[-1] for name in read if name.split(".")[0] in kinds)

    return {
        node["name"]: Model(node["name"], _folder(node), parents(node, "model", "seed"), parents(node, "source"))
        for node in _of_kind(nodes, "model", "seed", "snapshot")
    }


def test_only_staging_reads_sources_and_each_staging_model_reads_one(graph: dict[str, Model]) -> None:
    found = source_offences(graph)
    assert not found, listing(found)


def test_models_read_only_what_comes_before_them(graph: dict[str, Model]) -> None:
    found = layer_offences(graph)
    assert not found, listing(found)


def test_tables_and_models_are_called_after_their_layer(manifest: dict[str, Any], graph: dict[str, Model]) -> None:
    raw = [name_offence(s["name"], "raw") for s in manifest["sources"].values() if s["source_name"] == "raw"]
    models = [name_offence(m.name, m.folder) for m in graph.values() if m.layer != "policy"]
    found = [offence for offence in (*raw, *models) if offence]
    assert not found, listing(found)
    assert all(m.name.startswith("policy_") for m in graph.values() if m.layer == "policy")


def test_names_of_mart_columns_tell_their_types(nodes: list[dict[str, Any]]) -> None:
    found = [
        f"{node['patch_path']}: {node['name']}.{offence}"
        for node in _of_kind(nodes, "model", under="marts")
        for column in node["columns"].values()
        if (offence := column_offence(column["name"], column["data_type"] or ""))
    ]
    assert not found, listing(found)


def test_no_sql_asks_the_time_or_takes_the_newest_date_for_today() -> None:
    found = offenders(files("dbt_project", *DEPARTMENTS, suffix=".sql"), sql_clocks)
    assert not found, listing(found)


def test_python_asks_the_time_only_for_operational_stamps() -> None:
    found = []
    for path in files(*DEPARTMENTS, suffix=".py"):
        uses = offenders([path], python_clocks)
        allowed, _ = CLOCK_USES.get(path.relative_to(ROOT).as_posix(), (0, ""))
        found += uses if len(uses) > allowed else []
    assert not found, listing(found)


def test_sql_models_hold_no_business_number() -> None:
    found = []
    for path in files("dbt_project/models", suffix=".sql"):
        constants = CONSTANTS.get(path.stem, {})
        found += offenders([path], lambda sql, known=constants: business_numbers(sql, known))
    assert not found, listing(found)


def test_every_window_that_feels_the_order_of_rows_has_a_total_order() -> None:
    paths = files("dbt_project", suffix=".sql")
    narrow = {path: hits for path in paths if (hits := offenders([path], narrow_windows))}
    found = [hit for path, hits in narrow.items() if path.stem not in TOTAL_ORDERS for hit in hits]
    assert not found, listing(found)
    assert {path.stem for path in narrow} == set(TOTAL_ORDERS), "a model listed with a reason no longer needs it"


def test_nothing_is_scored_by_ntile() -> None:
    found = offenders(files("dbt_project", suffix=".sql"), lambda sql: words(sql, [r"\bntile\b"]))
    assert not found, listing(found)


def test_engine_words_stand_in_macros_only() -> None:
    found = offenders(files("dbt_project/models", "dbt_project/tests", suffix=".sql"), engine_words)
    assert not found, listing(found)


def test_every_description_begins_with_the_grain(nodes: list[dict[str, Any]]) -> None:
    found = [
        f"{node['original_file_path']}: {node['description'][:60]!r}"
        for node in _of_kind(nodes, "model", "seed")
        if not node["description"].startswith("One row per ")
    ]
    assert not found, listing(found)


def test_every_mart_is_under_contract_with_every_column_described(nodes: list[dict[str, Any]]) -> None:
    marts = list(_of_kind(nodes, "model", under="marts"))
    found = [f"{node['name']}: contract not enforced" for node in marts if not node["config"]["contract"]["enforced"]]
    found += [
        f"{node['patch_path']}: {node['name']}.{column['name']} has no description"
        for node in marts
        for column in node["columns"].values()
        if not column["description"]
    ]
    assert not found, listing(found)


def test_every_mart_has_a_grain_that_is_tested(nodes: list[dict[str, Any]]) -> None:
    """audit_checks is a log: the same check on the same subject may be recorded twice in a run."""
    tests = list(_of_kind(nodes, "test"))
    unique = {
        test["attached_node"]
        for test in tests
        if (test.get("test_metadata") or {}).get("name") in ("unique_combination", "unique")
    }
    marts = [node for node in _of_kind(nodes, "model", under="marts") if node["name"] != "audit_checks"]
    found = [node["name"] for node in marts if node["unique_id"] not in unique]
    assert not found, listing(found)


def test_every_data_test_is_named_as_a_promise(nodes: list[dict[str, Any]]) -> None:
    found = [
        f"{node['original_file_path']}: {node['name']}"
        for node in _of_kind(nodes, "test")
        if not re.match(r"assert_[a-z0-9_]+$", node["name"])
    ]
    assert not found, listing(found)


def test_staging_shows_every_column_of_the_contract_but_the_personal_ones(graph: dict[str, Model]) -> None:
    """Of the tables that models read: one that nobody reads has no staging model, which would cost every full build."""
    found = []
    staged = [table for table in load_contract().tables if staging_file(table).exists()]
    families = {table.family for table in staged}
    models = {model.name for model in graph.values() if model.folder.removeprefix("staging/") in families}
    assert models == {staging_file(table).stem for table in staged}
    for table in staged:
        path = staging_file(table)
        _, _, final = sql_code(path.read_text(encoding="utf-8")).rpartition("\nselect")
        for column in table.columns:
            personal = column.pii == "P2" and column.personal_when is None
            if bool(re.search(rf"\b{column.name}\b", final)) == personal:
                found.append(f"{path.relative_to(ROOT)}: {column.name} {'is personal' if personal else 'is missing'}")
    assert not found, listing(found)


def test_departments_import_only_what_they_may() -> None:
    found = []
    for path in files(*DEPARTMENTS, suffix=".py"):
        name = path.relative_to(ROOT).as_posix()
        found += offenders([path], lambda source, name=name: import_offences(name, source))
    assert not found, listing(found)


def test_nothing_reads_a_format_that_runs_code() -> None:
    found = offenders(files(suffix=".py"), code_running_formats)
    assert not found, listing(found)


def test_only_settings_read_the_environment() -> None:
    paths = [path for path in files(*DEPARTMENTS, suffix=".py") if path.name != "settings.py"]
    found = offenders(paths, environment_reads)
    assert not found, listing(found)


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files(*DEPARTMENTS, suffix=".py")
    }
    circle = import_circle({name: path.read_text(encoding="utf-8") for name, path in modules.items()})
    assert not circle, " -> ".join(circle)


def test_files_stay_short_enough_to_read() -> None:
    limits = {".py": 250, ".sql": 150}
    found = [
        f"{path.relative_to(ROOT)}: {count} lines, at most {limit}"
        for suffix, limit in limits.items()
        for path in files(suffix=suffix)
        if not _is_under(path, ["tests"])
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert not found, listing(found)


def test_no_notes_to_self_registry_hosts_or_paths_of_one_machine() -> None:
    binary = {".parquet", ".duckdb", ".png", ".jpg", ".ico", ".gz", ".zip", ".xlsx", ".woff2", ".pyc"}
    found = offenders((path for path in files() if path.suffix not in binary), stray_text)
    assert not found, listing(found)
