"""Promises of the Dagster graph: it loads anywhere, and every asset says what it is, whose it is and what guards it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from installation import Published, environment, settings_of

from orchestration.assets.ingestion import READ_CHECK, SUITE_CHECK, raw_key
from orchestration.definitions import JOB, build_defs
from orchestration.demo.deliver import FEEDS
from orchestration.extract.contract import load_contract
from orchestration.settings import POLICY_SEEDS, PROJECT_ROOT

TABLES = load_contract().tables
DELIVERED = [load_contract().table(f"{feed.source}.{feed.entity}") for feed in FEEDS]


@pytest.fixture(scope="module")
def definitions(published_home: Published) -> dg.Definitions:
    return build_defs(published_home.settings)


def validate(home: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate", "-w", "workspace.yaml"]
    outside = environment(home) | {"DAGSTER_HOME": str(home / "dagster")}
    (home / "dagster").mkdir(parents=True, exist_ok=True)
    return subprocess.run(command, cwd=PROJECT_ROOT, env=outside, capture_output=True, text=True, check=False)


def test_the_workspace_loads_in_an_empty_home(tmp_path: Path) -> None:
    done = validate(tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workspace_loads_in_a_home_with_releases(published_home: Published) -> None:
    done = validate(published_home.home)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_graph_of_a_home_with_a_policy_of_its_own_is_the_same(definitions: dg.Definitions, tmp_path: Path) -> None:
    own = settings_of(tmp_path / "home")
    shutil.copytree(POLICY_SEEDS, own.own_policy)
    done = validate(own.home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(build_defs(own).resolve_all_asset_keys()) == set(definitions.resolve_all_asset_keys())


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description(definitions: dg.Definitions) -> None:
    specs = list(definitions.resolve_all_asset_specs())
    assert len(specs) > 50
    incomplete = {
        spec.key.to_user_string(): missing
        for spec in specs
        if (
            missing := [
                what
                for what, value in (
                    ("group", spec.group_name not in (None, "default")),
                    ("owner", spec.owners),
                    ("kind", spec.kinds),
                    ("description", spec.description),
                )
                if not value
            ]
        )
    }
    assert incomplete == {}


def test_every_table_of_the_contract_is_an_asset_of_its_family(definitions: dg.Definitions) -> None:
    groups = {spec.key: spec.group_name for spec in definitions.resolve_all_asset_specs()}
    assert {raw_key(table): groups.get(raw_key(table)) for table in TABLES} == {
        raw_key(table): f"raw_{table.family}" for table in TABLES
    }


@pytest.mark.parametrize("name", [READ_CHECK, SUITE_CHECK])
def test_every_raw_asset_is_guarded_by_blocking_checks(definitions: dg.Definitions, name: str) -> None:
    graph = definitions.resolve_asset_graph()
    guards = {key.asset_key for key in graph.asset_check_keys if key.name == name and graph.get(key).blocking}
    assert guards == {raw_key(table) for table in DELIVERED}


def test_a_table_that_nobody_delivers_has_no_step_no_check_and_nothing_that_waits_for_it(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    assert {op.name for op in definitions.resolve_job_def(JOB).nodes if op.name.endswith("_extracts")} == {
        f"{feed.source}_extracts" for feed in FEEDS
    }
    undelivered = {raw_key(table) for table in TABLES if table not in DELIVERED}
    assert len(undelivered) == len(TABLES) - len(FEEDS) > 0
    assert [key for key in undelivered if graph.get(key).is_executable] == []
    assert [key for key in graph.asset_check_keys if key.asset_key in undelivered] == []
    assert [key for key in undelivered if graph.get(key).child_keys] == []


def test_the_release_waits_for_blocking_checks_of_what_was_built(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    quality = dg.AssetKey("quality")
    assert quality in graph.get(dg.AssetKey("release")).parent_keys
    checks = [key for key in graph.asset_check_keys if key.asset_key == quality]
    assert len(checks) > 3
    assert all(graph.get(key).blocking for key in checks)


def test_the_job_holds_every_asset_in_daily_partitions_from_the_start_date(
    definitions: dg.Definitions, published_home: Published
) -> None:
    job = definitions.resolve_job_def(JOB)
    partitions = job.partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert partitions.get_first_partition_key() == str(published_home.days[0])
    assert {spec.key for spec in definitions.resolve_all_asset_specs() if spec.partitions_def != partitions} <= {
        key
        for key in definitions.resolve_all_asset_keys()
        if not definitions.resolve_asset_graph().get(key).is_executable
    }
    executable = {
        key for key in definitions.resolve_all_asset_keys() if definitions.resolve_asset_graph().get(key).is_executable
    }
    assert job.asset_layer.executable_asset_keys == executable
