"""Promises to whoever pulls the plug: readers keep a whole release, the next run ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from installation import PROVE, Published, copy_of, current, decisions, rows, start_tiering, tiering

from orchestration.extract.landing import file_sha256

Moment = Callable[[Path], bool]
GIVE_UP_SECONDS = 300


def after_the_first_commit(home: Path) -> Moment:
    """The manifest has grown: files of one family are in the raw zone, the others are not."""
    size = (home / "raw" / "manifest.jsonl").stat().st_size
    return lambda now: (now / "raw" / "manifest.jsonl").stat().st_size > size


def while_models_are_built(_: Path) -> Moment:
    """The run's inputs are written and the build file is open again, with changes that are not in it yet."""
    return lambda now: "run_inputs" in messages(now).read_text() and (now / "warehouse.duckdb.wal").exists()


def while_a_release_is_written(_: Path) -> Moment:
    return lambda now: any((now / "releases").glob(".incoming-*"))


MOMENTS = (after_the_first_commit, while_models_are_built, while_a_release_is_written)


def messages(home: Path) -> Path:
    return home.parent / "told"


def kill_at(home: Path, day: str, moment: Moment) -> bool:
    """Start a run and SIGKILL it as soon as the moment has come; False when it ended before."""
    with messages(home).open("w") as told:
        process = start_tiering(home, "run", "--date", day, told=told)
    until = time.monotonic() + GIVE_UP_SECONDS
    try:
        while process.poll() is None and time.monotonic() < until:
            if moment(home):
                os.killpg(process.pid, signal.SIGKILL)
                return process.wait() == -signal.SIGKILL
            time.sleep(0.002)
        return False
    finally:
        process.kill()
        process.communicate()


def assert_readers_see_a_whole_release(home: Path, published: Published) -> None:
    """The old release or a complete new one, every file as its manifest says; no decision of old is touched."""
    release = current(home)
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["release_id"] == release.name
    wrong = [
        name for name, mart in manifest["marts"].items() if mart["sha256"] != file_sha256(release / f"{name}.parquet")
    ]
    assert wrong == []
    answered = tiering(home, "sql", "select count(*) as n from customer_360", "--json")
    assert json.loads(answered.stdout) == [{"n": manifest["customer_count"]}]
    before, after = decisions(published.home), decisions(home)
    assert {name: after.get(name) for name in before} == before
    for name in set(after) - set(before):
        if name.endswith(".parquet"):
            assert rows("select count(*) from read_parquet(?)", str(home / "decisions" / name)) == [
                (manifest["customer_count"],)
            ]


def assert_the_next_run_ends_like_an_undisturbed_one(home: Path, published: Published, release: str) -> None:
    ran = tiering(home, "run", "--date", str(published.next_day))
    assert ran.returncode == 0, ran.stderr
    assert current(home).name == release
    assert sorted(decisions(home)) == [f"{day}.parquet" for day in (*published.days, published.next_day)]
    lines = [json.loads(line) for line in (home / "raw" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({line["batch_id"] for line in lines}) == len(lines)
    assert [file.name for file in (home / "releases").iterdir() if file.name.startswith(".")] == []


def test_three_kills_one_after_another_leave_readers_a_whole_release_and_the_next_run_its_result(
    published_home: Published, fifth_day_release: str, tmp_path: Path
) -> None:
    home = copy_of(published_home, tmp_path)
    for moment in MOMENTS:
        assert kill_at(home, str(published_home.next_day), moment(home)), f"not killed {moment.__name__}"
        assert current(home).name == published_home.release.name
        assert_readers_see_a_whole_release(home, published_home)
    assert_the_next_run_ends_like_an_undisturbed_one(home, published_home, fifth_day_release)


if PROVE:  # ten full runs more: make prove

    @pytest.mark.parametrize("seed", range(10))
    def test_a_kill_at_any_moment(published_home: Published, fifth_day_release: str, tmp_path: Path, seed: int) -> None:
        """The moment is drawn over the length of a run that is not disturbed; past its end nothing is killed."""
        home = copy_of(published_home, tmp_path)
        at = time.monotonic() + random.Random(seed).uniform(1, 30)
        kill_at(home, str(published_home.next_day), lambda _: time.monotonic() >= at)
        assert_readers_see_a_whole_release(home, published_home)
        assert_the_next_run_ends_like_an_undisturbed_one(home, published_home, fifth_day_release)
