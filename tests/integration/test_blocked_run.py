"""Promises of a blocked run: exit code 3, a plain reason, the last release standing, nothing decided, and a way out."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from installation import Published, copy_of, current, decisions, rows, tiering, writer


@dataclass(frozen=True)
class Attempt:
    """One run of the fifth day and what stood in the home after it."""

    ran: subprocess.CompletedProcess[str]
    release: str
    decided: dict[str, bytes]
    landed: list[str]


def attempt(home: Path, published: Published) -> Attempt:
    ran = tiering(home, "run", "--date", str(published.next_day))
    lines = (home / "raw" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    of_the_day = [line["file"] for line in map(json.loads, lines) if line["delivery_date"] == str(published.next_day)]
    return Attempt(ran, current(home).name, decisions(home), of_the_day)


def replace_file(file: Path, query: str) -> None:
    """Send the file again with other content; {file} in the query is what was sent first."""
    changed = file.with_suffix(".changed")
    rows(f"copy ({query.format(file=file)}) to '{changed}' (format parquet)")
    changed.replace(file)


@dataclass(frozen=True)
class Story:
    """A day whose lines do not add up, then as it should be."""

    before: Attempt
    wrong_sum: Attempt
    mended: Attempt
    all_files: list[str]


@pytest.fixture(scope="module")
def story(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = copy_of(published_home, tmp_path_factory.mktemp("blocked"))
    day = f"{published_home.next_day:%Y%m%d}"
    lines = home / "landing" / "sales" / f"order_line_{day}.parquet"
    good_lines = lines.read_bytes()
    everything = sorted(f"{file.parent.name}/{file.name}" for file in (home / "landing").glob(f"*/*_{day}.*"))
    before = Attempt(published_home.run, current(home).name, decisions(home), [])

    one_line = "(select min(line_key) from read_parquet('{file}'))"
    wrong = f"case when line_key = {one_line} then net_value + 1 else net_value end as net_value"
    replace_file(lines, f"select * replace ({wrong}) from read_parquet('{{file}}')")
    wrong_sum = attempt(home, published_home)

    lines.write_bytes(good_lines)
    return Story(before, wrong_sum, attempt(home, published_home), everything)


def test_lines_that_do_not_add_up_block_the_run_and_the_check_is_named_with_what_it_saw(story: Story) -> None:
    ran = story.wrong_sum.ran
    assert ran.returncode == 3, ran.stderr
    (blocked,) = [line for line in ran.stderr.splitlines() if line.startswith("blocked:")]
    assert "raw_sales__order_line" in blocked
    assert "net_amount_is_gross_less_discount: 1 of " in blocked
    assert "gross_amount - discount_amount <> net_amount" in blocked
    assert "nothing was published; the last release stands" in ran.stderr


def test_the_refused_file_is_not_in_the_raw_zone_and_every_other_file_of_the_day_is(story: Story) -> None:
    refused = [file for file in story.all_files if file.startswith("sales/order_line_")]
    assert len(refused) == 1
    assert sorted(story.wrong_sum.landed) == [file for file in story.all_files if file not in refused]


def test_a_blocked_run_publishes_nothing_and_decides_nothing(story: Story) -> None:
    assert (story.wrong_sum.release, story.wrong_sum.decided) == (story.before.release, story.before.decided)


def test_the_file_sent_again_lands_beside_what_was_landed_before(story: Story) -> None:
    assert sorted(story.mended.landed) == story.all_files


def test_the_next_day_reads_the_last_good_decision_and_nothing_of_the_blocked_one(story: Story) -> None:
    """The runs of a blocked day and of the same day mended differ in nothing that a later day could read."""
    assert sorted(story.mended.decided)[:-1] == sorted(story.wrong_sum.decided) == sorted(story.before.decided)


def test_good_files_end_the_blockade_as_if_nothing_had_happened(story: Story, fifth_day_release: str) -> None:
    assert story.mended.ran.returncode == 0, story.mended.ran.stderr
    assert story.mended.release == fifth_day_release
    assert {name: story.mended.decided[name] for name in story.before.decided} == story.before.decided
    assert len(story.mended.decided) == len(story.before.decided) + 1


def test_a_locked_home_is_left_alone_and_its_writer_is_named(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    manifest = (home / "raw" / "manifest.jsonl").read_bytes()
    with writer(home) as process:
        ran = tiering(home, "run", "--date", str(published_home.next_day))
    assert ran.returncode == 4, ran.stderr
    assert f"locked: {home} is being written by process {process.pid} " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert (current(home).name, decisions(home)) == (published_home.release.name, decisions(published_home.home))
    assert (home / "raw" / "manifest.jsonl").read_bytes() == manifest
