"""Promises of a company's own policy: tiers follow its rows, its releases come out the same again, and rows that do not
agree decide nothing."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from installation import Published, copy_of, current, decisions, rows, settings_of, start_tiering, tiering

from orchestration import dbt
from orchestration.settings import POLICY_SEEDS

Rows = list[dict[str, str]]
SHIPPED, HOUSE = "2025.1", "house.1"
HOUSE_BOUND = Decimal("70")  # of T1; the shipped one is 80


def change(folder: Path, table: str, how: Callable[[Rows], Rows]) -> None:
    """Write a table of the folder anew."""
    file = folder / f"{table}.csv"
    with file.open(encoding="utf-8-sig", newline="") as lines:
        changed = how(list(csv.DictReader(lines)))
    with file.open("w", encoding="utf-8-sig", newline="") as lines:
        writer = csv.DictWriter(lines, changed[0])
        writer.writeheader()
        writer.writerows(changed)


def write_house_policy(folder: Path, since: date) -> None:
    """The shipped version up to a day, and from then on one with more key accounts and otherwise the same rows."""
    shutil.copytree(POLICY_SEEDS, folder)
    for file in folder.glob("*.csv"):
        change(folder, file.stem, lambda shipped: shipped + [row | {"policy_version": HOUSE} for row in shipped])

    def from_then_on(versions: Rows) -> Rows:
        before, house = versions
        return [before | {"effective_to": str(since)}, house | {"effective_from": str(since)}]

    def more_key_accounts(bands: Rows) -> Rows:
        bound = {("T1", "lower_bound"), ("T2", "upper_bound")}
        return [
            row | {name: str(HOUSE_BOUND) for name in row if (row["band"], name) in bound}
            if (row["policy_version"], row["lens"]) == (HOUSE, "tier")
            else row
            for row in bands
        ]

    change(folder, "policy_versions", from_then_on)
    change(folder, "policy_bands", more_key_accounts)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def house(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was graded by the shipped policy for four days, and by its own on the fifth."""
    home = copy_of(published_home, tmp_path_factory.mktemp("house"))
    write_house_policy(home / "policy", published_home.next_day)
    before = contents(home / "policy")
    ran = tiering(home, "run")
    assert ran.returncode == 0, ran.stderr
    assert contents(home / "policy") == before, "a run must leave the policy as it is"
    return home


def test_tiers_follow_the_bounds_of_the_home(house: Path) -> None:
    tiers = str(current(house) / "customer_tiers.parquet")
    assert rows("select distinct policy_version from read_parquet(?)", tiers) == [(HOUSE,)]
    key_accounts = "select count(*) from read_parquet(?) where "
    ((told,),) = rows(key_accounts + "score_tier = 'T1'", tiers)
    ((by_house,),) = rows(key_accounts + "tier_score >= ?", tiers, HOUSE_BOUND)
    ((by_shipped,),) = rows(key_accounts + "tier_score >= 80", tiers)
    assert told == by_house > by_shipped


def test_the_rules_a_release_shows_are_those_of_the_home(house: Path) -> None:
    rules = str(current(house) / "policy_rules.parquet")
    bound = "select lower_bound from read_parquet(?) where rule_kind = 'band' and subject = 'tier' and rule_name = 'T1'"
    assert rows(bound, rules) == [(HOUSE_BOUND,)]


def test_releases_of_either_policy_come_out_the_same_again(house: Path) -> None:
    releases = sorted(folder.name for folder in (house / "releases").glob("[0-9]*"))[-2:]
    versions = [
        json.loads((house / "releases" / release / "manifest.json").read_text(encoding="utf-8"))["policy_version"]
        for release in releases
    ]
    assert versions == [SHIPPED, HOUSE]
    for process in [start_tiering(house, "reproduce", release, "--json") for release in releases]:
        told, stderr = process.communicate()
        assert process.returncode == 0, told + stderr
        assert (json.loads(told)["is_identical"], json.loads(told)["blocking"]) == (True, [])


def lose_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def edit_what_was_released(folder: Path) -> None:
    change(folder, "policy_weights", lambda weights: [row | {"weight": "0.9"} for row in weights])


def add_rows_that_do_not_agree(folder: Path) -> None:
    """To a version that nothing was released by yet."""
    change(folder, "policy_weights", lambda rows: [*rows, rows[-1] | {"policy_version": "house.2", "weight": "0.9"}])


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (lose_the_folder, 1, "states 2025.1, expected house.1 among them, which"),
        (edit_what_was_released, 1, "states other rows of version 2025.1 than"),
        (add_rows_that_do_not_agree, 3, "assert_weights_of_each_target_sum_to_one"),
    ],
)
def test_a_policy_that_cannot_be_used_leaves_the_last_release_standing(
    house: Path, tmp_path: Path, harm: Callable[[Path], None], code: int, words: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(house, home, symlinks=True)
    before = (current(home).name, decisions(home), (home / "raw" / "manifest.jsonl").read_bytes())
    harm(home / "policy")
    ran = tiering(home, "run")
    assert (ran.returncode, words in ran.stderr, "Traceback" in ran.stderr) == (code, True, False), ran.stderr
    assert (current(home).name, decisions(home), (home / "raw" / "manifest.jsonl").read_bytes()) == before


def test_homes_of_one_process_are_built_by_their_own_policy_and_one_parse(house: Path, tmp_path: Path) -> None:
    own, shipped = settings_of(tmp_path / "own"), settings_of(tmp_path / "shipped")
    shutil.copytree(house / "policy", own.own_policy)
    shipped.home.mkdir()
    parsed = dbt.manifest_path(shipped).stat().st_mtime_ns
    for settings, versions in ((own, [HOUSE, SHIPPED]), (shipped, [SHIPPED])) * 2:
        results = dbt.build(settings, ["--select", "resource_type:seed"])
        assert {result.status for result in results} == {"success"}
        with duckdb.connect(str(settings.warehouse), read_only=True) as build:
            for table in POLICY_SEEDS.glob("*.csv"):
                stated = f"select distinct policy_version from policy.{table.stem} order by 1 desc"
                assert build.execute(stated).fetchall() == [(version,) for version in versions]
    assert dbt.manifest_path(own).stat().st_mtime_ns == parsed
