"""Promises of scratch runs: a release can be computed again, an alteration shows, a day can be asked as known then, and
the home stays as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from installation import PROVE, Published, copy_of, current, decisions, rows, start_tiering, tiering

from orchestration.console import out, show_reproduction
from orchestration.demo.company import END, write_demo
from orchestration.extract.manifest import read_manifest
from orchestration.release.catalogue import decided_knowledge
from orchestration.release.comparison import MartComparison, TierChanges, compare_tiers
from orchestration.scratch import Reproduction, scratch_home
from orchestration.status import default_day


def manifests(home: Path) -> list[dict[str, Any]]:
    """The manifests of a home's releases, the oldest day first."""
    files = sorted((home / "releases").glob("[0-9]*/manifest.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def batches(home: Path) -> list[dict[str, Any]]:
    lines = (home / "raw" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def state(home: Path) -> dict[str, bytes | str]:
    """What readers and the next run rely on: every byte of raw, the decisions, the releases and the pointer."""
    raw = {str(file.relative_to(home)): file.read_bytes() for file in (home / "raw").rglob("*") if file.is_file()}
    return (
        raw
        | decisions(home)
        | {"CURRENT": current(home).name}
        | {release["release_id"]: "" for release in manifests(home)}
    )


def reproduced(home: Path, releases: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Exit code and answer of ``tiering reproduce`` for each release; two are computed side by side."""
    for place in range(0, len(releases), 2):
        pair = [start_tiering(home, "reproduce", release, "--json") for release in releases[place : place + 2]]
        for process in pair:
            told, stderr = process.communicate()
            assert told, stderr
            yield process.returncode, json.loads(told)


def assert_all_are_identical(home: Path, releases: list[str]) -> None:
    before = state(home)
    for code, told in reproduced(home, releases):
        assert (code, told["is_identical"]) == (0, True), told
        assert (told["blocking"], told["lost_batches"], told["new_batches"]) == ([], [], [])
    assert state(home) == before
    assert list((home / "scratch").glob("home-*")) == []


def test_past_releases_come_out_the_same_when_computed_again(published_home: Published) -> None:
    """A range's last day and a day by itself; the first of them when later days have landed."""
    releases = manifests(published_home.home)
    assert len(releases) == 2
    assert_all_are_identical(published_home.home, [release["release_id"] for release in releases])


if PROVE:

    def test_twelve_month_ends_come_out_the_same_when_computed_again(tmp_path: Path) -> None:
        home = tmp_path / "year"
        write_demo(home, scale="tiny", daily_days=335)
        first = END - timedelta(days=334)
        for month in range(1, 13):
            last = (END.replace(month=month, day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            decided = tiering(home, "backfill", "--from", str(first), "--to", str(last))
            assert decided.returncode == 0, decided.stderr
            first = last + timedelta(days=1)
        releases = [release["release_id"] for release in manifests(home)]
        assert len(releases) == 12
        assert_all_are_identical(home, releases)


def alter_one_amount(home: Path) -> None:
    """The largest amount of the first load becomes one unit larger: the same rows, another meaning."""
    first_load, *_ = sorted((home / "raw" / "sales" / "order_line").glob("delivery_date=*/*.parquet"))
    altered = first_load.with_suffix(".altered")
    with duckdb.connect() as connection:
        connection.execute(f"create table lines as from read_parquet('{first_load}', hive_partitioning = false)")
        largest = "(select max(net_amount) from lines)"
        connection.execute(
            "update lines set gross_amount = gross_amount + 1, net_amount = net_amount + 1 "
            f"where net_amount = {largest}"
        )
        connection.execute(f"copy lines to '{altered}' (format parquet)")
    os.replace(altered, first_load)


def forget_a_quiet_batch(home: Path) -> str:
    """Take a batch without rows out of the raw zone's list; its id."""
    lines = batches(home)
    quiet = next(line for line in lines if line["records"] == 0)
    text = "".join(json.dumps(line) + "\n" for line in lines if line is not quiet)
    (home / "raw" / "manifest.jsonl").write_text(text, encoding="utf-8")
    return str(quiet["batch_id"])


def test_an_altered_amount_a_lost_batch_and_other_code_are_told(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    alter_one_amount(home)
    lost = forget_a_quiet_batch(home)
    file = current(home) / "manifest.json"
    file.chmod(0o644)
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {"code_version": "0123456789ab"}))

    ((code, told),) = reproduced(home, [current(home).name])

    assert (code, told["is_identical"], told["is_same_code"]) == (1, False, False)
    assert told["lost_batches"] == [lost]
    assert [mart["name"] for mart in told["marts"] if mart["recomputed"] is not None] == []
    assert [line for line in told["blocking"] if "raw zone:" in line and "as landed" in line]


def test_a_reproduction_is_told_mart_by_mart_with_what_may_explain_it() -> None:
    marts = (MartComparison("same", "a", "a"), MartComparison("other", "a", "b"), MartComparison("gone", "a", None))
    done = Reproduction("2025-12-30-abc", marts, ("totals: residual 1",), ("b1",), ("b2",), "old", "new")
    with out.capture() as told:
        show_reproduction(done)
    lines = told.get().splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["identical", "same"],
        ["DIFFERS", "other"],
        ["NOT", "MADE", "gone"],
    ]
    assert lines[3:6] == [
        "batches no longer listed in the raw zone: b1",
        "batches new since: b2",
        "would be refused now: totals: residual 1",
    ]
    assert "released by old, computed again by new" in lines[6]
    assert lines[7] == "2025-12-30-abc: 1 of 3 marts are identical"


def test_what_a_changed_work_tree_made_is_not_said_to_be_the_same_code() -> None:
    def made(before: str, now: str) -> bool:
        return Reproduction("r", (), (), (), (), before, now).is_same_code

    assert made("0123456789ab", "0123456789ab")
    assert not made("0123456789ab", "ba9876543210")
    assert not made("0123456789ab+changed", "0123456789ab+changed")


def test_a_scratch_home_knows_what_was_decided_has_nothing_to_land_and_is_gone_afterwards(
    published_home: Published,
) -> None:
    settings, (first, second, *_) = published_home.settings, published_home.days
    with scratch_home(settings, [first]) as scratch:
        assert decided_knowledge(scratch, [first, second]) == decided_knowledge(settings, [first])
        assert read_manifest(scratch.manifest) == read_manifest(settings.manifest)
        assert default_day(scratch) < published_home.next_day
        assert not scratch.landing.exists()
    assert not scratch.home.exists()


def test_a_release_that_does_not_exist_is_told_with_those_that_do(published_home: Published) -> None:
    refused = tiering(published_home.home, "reproduce", "2025-01-01-00000000")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert published_home.release.name in refused.stderr


def test_a_release_whose_decision_is_lost_is_not_computed_with_other_knowledge(
    published_home: Published, tmp_path: Path
) -> None:
    home = copy_of(published_home, tmp_path)
    (home / "decisions" / f"{published_home.days[3]}.parquet").unlink()
    refused = tiering(home, "reproduce")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{published_home.days[3]}.parquet is missing" in refused.stderr


def test_a_day_as_it_was_known_gives_the_decision_published_then_and_leaves_the_home_alone(
    published_home: Published, tmp_path: Path
) -> None:
    """The last day of the range, decided alone with the same knowledge: the same release and nothing changed."""
    home, day = copy_of(published_home, tmp_path), published_home.days[2]
    then = manifests(home)[0]
    before = state(home)
    process = start_tiering(home, "run", "--date", str(day), "--known-at", then["known_at"], "--json")
    later = manifests(home)[1]["known_at"]
    beside = start_tiering(home, "run", "--date", str(day), "--known-at", later, "--json")
    (told, stderr), (told_later, stderr_later) = process.communicate(), beside.communicate()
    assert (process.returncode, beside.returncode) == (0, 0), stderr + stderr_later
    assert state(home) == before

    answer = json.loads(told)
    assert answer["release_id"] == then["release_id"]
    against = answer["against_decision"]
    assert (against["changed"], against["only_decided"], against["only_then"]) == (0, 0, 0)
    decided = rows(
        "select tier, count(*) from read_parquet(?) group by 1 order by 1", str(home / "decisions" / f"{day}.parquet")
    )
    assert against["tiers"] == [[tier, count, count] for tier, count in decided]

    answer = json.loads(told_later)
    assert (answer["as_of_date"], answer["known_at"]) == (str(day), later)
    known = [
        batch["batch_id"]
        for batch in batches(home)
        if datetime.fromisoformat(batch["known_at"]) <= datetime.fromisoformat(later)
    ]
    kept = Path(answer["home"])
    inputs = rows("select batch_id from read_parquet(?)", str(current(kept) / "audit_inputs.parquet"))
    assert sorted(batch_id for (batch_id,) in inputs) == sorted(known)
    assert kept.is_relative_to(home / "scratch" / "known_at")
    asked = tiering(kept, "sql", "select count(*) as n from customer_360", "--json")
    assert json.loads(asked.stdout) == [{"n": answer["customer_count"]}]


@pytest.mark.parametrize(
    ("back", "known_at", "code", "words"),
    [
        (1, "2020-01-01T00:00:00Z", 1, "nothing was known at 2020-01-01T00:00:00+00:00"),
        (1, "2025-12-30T16:00:00", 2, "ISO 8601"),
        (1, "yesterday", 2, "ISO 8601"),
        (0, "2025-12-30T16:00:00Z", 1, "nothing has landed for 2025-12-31"),
    ],
)
def test_knowledge_that_cannot_be_had_is_told_in_plain_words(
    published_home: Published, back: int, known_at: str, code: int, words: str
) -> None:
    refused = tiering(published_home.home, "run", "--date", str(END - timedelta(days=back)), "--known-at", known_at)
    assert (refused.returncode, refused.stdout) == (code, "")
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_two_decisions_of_a_day_are_compared_customer_by_customer(tmp_path: Path) -> None:
    decided, then = tmp_path / "decided.parquet", tmp_path / "then.parquet"
    with duckdb.connect() as connection:
        for file, tiers in (
            (decided, "('a', 'T1'), ('b', 'T1'), ('c', 'T2'), ('gone', 'T3')"),
            (then, "('a', 'T1'), ('b', 'T2'), ('c', 'T2'), ('new', 'T4')"),
        ):
            connection.execute(f"copy (from (values {tiers}) as t (customer_id, tier)) to '{file}'")
    expected = (("T1", 2, 1), ("T2", 1, 2), ("T3", 1, 0), ("T4", 0, 1))
    assert compare_tiers(decided, then) == TierChanges(changed=1, only_decided=1, only_then=1, tiers=expected)
