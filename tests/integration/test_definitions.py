"""Promises of the Dagster graph: it loads anywhere, and every asset says what it is, whose it is and what guards it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from installation import Published, copy_of, environment, settings_of, tiering

from orchestration.assets.ingestion import READ_CHECK, SUITE_CHECK, raw_key
from orchestration.definitions import JOB, build_defs
from orchestration.demo.deliver import FEEDS
from orchestration.extract.contract import load_contract
from orchestration.init import Company, init_home
from orchestration.settings import POLICY_SEEDS, PROJECT_ROOT, Settings

TABLES = load_contract().tables
DELIVERED = [load_contract().table(f"{feed.source}.{feed.entity}") for feed in FEEDS]
SENSOR = "when_extracts_are_in"


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


def ticked(home: Settings) -> dg.RunRequest | dg.SkipReason:
    """What the sensor says of the home, as the daemon asks it."""
    definitions = build_defs(home)
    sensor = definitions.get_sensor_def(SENSOR)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=definitions)
        told = sensor.evaluate_tick(context)
    if told.skip_message:
        return dg.SkipReason(told.skip_message)
    (request,) = told.run_requests or []
    return request


@pytest.fixture
def waiting(published_home: Published, tmp_path: Path) -> Settings:
    """The published home, whose fifth day is delivered and not decided."""
    return settings_of(copy_of(published_home, tmp_path))


def file_of(home: Settings, day: date, pattern: str = "finance/payment_*") -> Path:
    (file,) = (path for path in home.landing.glob(pattern) if f"{day:%Y%m%d}." in path.name)
    return file


def test_the_sensor_is_off_until_somebody_switches_it_on(definitions: dg.Definitions) -> None:
    sensor = definitions.get_sensor_def(SENSOR)
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    assert sensor.minimum_interval_seconds == 60
    assert sensor.job_name == JOB


def test_the_next_undecided_day_is_requested_when_its_extracts_are_in(
    waiting: Settings, published_home: Published
) -> None:
    request = ticked(waiting)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == str(published_home.next_day)
    job = build_defs(waiting).resolve_job_def(JOB)
    assert job.partitions_def is not None
    assert job.partitions_def.has_partition_key(request.partition_key)


def test_the_sensor_names_what_a_day_waits_for(waiting: Settings, published_home: Published) -> None:
    file_of(waiting, published_home.next_day, "finance/payment_2*").unlink()
    told = ticked(waiting)
    assert isinstance(told, dg.SkipReason)
    assert told.skip_message == f"{published_home.next_day} waits for finance.payment"


def test_a_file_under_another_name_is_not_there_yet(waiting: Settings, published_home: Published) -> None:
    file = file_of(waiting, published_home.next_day, "finance/payment_2*")
    file.rename(file.with_suffix(".incoming"))
    assert isinstance(ticked(waiting), dg.SkipReason)
    file.with_suffix(".incoming").rename(file)
    assert isinstance(ticked(waiting), dg.RunRequest)


def test_days_are_requested_in_order_though_a_later_one_is_complete(
    waiting: Settings, published_home: Published
) -> None:
    fourth = published_home.days[3]
    (waiting.decisions / f"{fourth}.parquet").unlink()
    request = ticked(waiting)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == str(fourth)


def test_one_state_is_requested_once_and_a_corrected_delivery_again(
    waiting: Settings, published_home: Published
) -> None:
    """Dagster starts no second run of a key: it is the same after a run that was blocked, whatever of it has landed."""

    def key() -> str:
        request = ticked(waiting)
        assert isinstance(request, dg.RunRequest)
        assert request.run_key is not None
        return request.run_key

    first = key()
    file = file_of(waiting, published_home.next_day, "finance/payment_2*")
    file.write_text("half a header\n", encoding="utf-8")
    broken = key()
    assert broken != first
    waiting.waivers.write_text(
        "check_name,subject,from_date,until_date,owner,reason\n"
        "no_such_check,finance.payment,2025-12-31,2025-12-31,me,none\n",
        encoding="utf-8",
    )
    assert key() not in {first, broken}
    waiting.waivers.unlink()
    assert key() == broken
    ran = tiering(waiting.home, "run")
    assert ran.returncode == 3, ran.stderr
    assert key() == broken, "what has landed of a blocked run is no news"


def test_a_home_that_says_nothing_of_its_extracts_is_skipped_with_the_mend(tmp_path: Path) -> None:
    told = ticked(settings_of(tmp_path / "home"))
    assert isinstance(told, dg.SkipReason)
    assert "sources.yml does not exist; describe your extracts there" in str(told.skip_message)


def test_a_day_that_is_not_over_is_not_requested(tmp_path: Path) -> None:
    home = settings_of(tmp_path / "home")
    begun = init_home(home.home, Company("Acme", "Europe/Berlin", "EUR", date(2999, 1, 1)))
    for name in ("order", "order_line", "customer"):
        (begun.landing / "sales" / f"{name}_29990101.csv").touch()
    told = ticked(home)
    assert isinstance(told, dg.SkipReason)
    assert str(told.skip_message).startswith("2999-01-01 is not over")


def test_a_home_without_any_delivery_is_skipped(tmp_path: Path) -> None:
    home = settings_of(tmp_path / "home")
    init_home(home.home, Company("Acme", "Europe/Berlin", "EUR"))
    told = ticked(home)
    assert isinstance(told, dg.SkipReason)
    assert "nothing was ever delivered to" in str(told.skip_message)
