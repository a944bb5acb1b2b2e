"""Promises of whoever may refuse a release: bad data ends the run with exit code 3 and the last release standing.

Landing and the suites of marts, reconciliation, and what a waiver lets through. A candidate that breaks its suite is in
``test_blocked_run.py``, a failing dbt test in ``test_policy_folder.py``.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from installation import Published, copy_of, current, decisions, rows, settings_of, tiering

TOO_MANY_BEFORE = ("rows_within_reason", "sum_of_net_amount_365d_within_reason")


@dataclass(frozen=True)
class Story:
    """The fifth day after a record vanished from the build and the last release was said to hold thrice as many
    customers; then with the build made anew, and somebody to answer for the customers."""

    home: Path
    stood: str
    refused: subprocess.CompletedProcess[str]
    refused_left: tuple[str, int]
    waived: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def story(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = copy_of(published_home, tmp_path_factory.mktemp("refused"))
    stood, day = current(home).name, published_home.next_day
    with duckdb.connect(str(home / "warehouse.duckdb")) as build:
        one = "(select min(source_record_id) from raw.raw_crm__activity)"
        build.execute(f"delete from raw.raw_crm__activity where source_record_id = {one}")
    triple(current(home) / "customer_360.parquet")
    refused = tiering(home, "run", "--date", str(day))
    refused_left = (current(home).name, len(decisions(home)))
    (home / "warehouse.duckdb").unlink()
    waivers = [f"{check},customer_360,{day},{day},Li Na,the last release was altered" for check in TOO_MANY_BEFORE]
    text = "\n".join(["check_name,subject,from_date,until_date,owner,reason", *waivers, ""])
    (home / "waivers.csv").write_text(text, encoding="utf-8")
    return Story(home, stood, refused, refused_left, tiering(home, "run", "--date", str(day)))


def triple(file: Path) -> None:
    changed = file.with_suffix(".changed")
    rows(f"copy (select held.* from read_parquet('{file}') as held, range(3)) to '{changed}' (format parquet)")
    changed.replace(file)


def checks(story: Story) -> list[tuple[str, str, str, str]]:
    query = "select owner, subject, check_name, status from read_parquet(?)"
    return rows(query, str(current(story.home) / "audit_checks.parquet"))


def test_a_mart_with_a_third_of_its_customers_is_refused_and_the_figures_are_told(story: Story) -> None:
    assert story.refused.returncode == 3, story.refused.stderr
    (told,) = [line for line in story.refused.stderr.splitlines() if "customer_360_has_the_expected_shape" in line]
    assert "rows_within_reason: " in told
    assert " in the last release (0.3" in told


def test_a_record_lost_between_the_raw_zone_and_the_build_is_refused_by_its_totals(story: Story) -> None:
    (told,) = [line for line in story.refused.stderr.splitlines() if "totals_agree_by_two_paths" in line]
    assert "reconciliation.accepted rows: " in told
    assert "residual -1.0000" in told


def test_a_refused_release_leaves_the_last_one_and_decides_nothing(story: Story, published_home: Published) -> None:
    assert story.refused_left == (story.stood, len(decisions(published_home.home)))


def test_a_waived_failure_is_published_as_such_with_the_one_who_answers_for_it(
    story: Story, fifth_day_release: str
) -> None:
    assert story.waived.returncode == 0, story.waived.stderr
    assert current(story.home).name == fifth_day_release
    waived = [check[1:3] for check in checks(story) if check[3] == "waived"]
    assert sorted(waived) == [("customer_360", check) for check in TOO_MANY_BEFORE]


def test_the_quality_page_shows_every_check_of_the_release_and_the_waiver(story: Story) -> None:
    page = (current(story.home) / "quality.html").read_text(encoding="utf-8")
    assert f"{len(checks(story)):,} checks stand behind release {current(story.home).name}" in page
    assert "waived by Li Na until" in page


def test_every_mart_is_judged_in_every_release(story: Story) -> None:
    marts = {file.stem for file in current(story.home).glob("*.parquet")}
    assert marts <= {subject for owner, subject, *_ in checks(story) if owner == "great_expectations"}


def test_a_file_that_cannot_be_read_blocks_until_it_is_sent_again(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    stood = current(home).name
    file = home / "landing" / "sales" / f"order_{published_home.next_day:%Y%m%d}.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    ran = tiering(home, "run", "--date", str(published_home.next_day))
    assert ran.returncode == 3, ran.stderr
    (blocked,) = [line for line in ran.stderr.splitlines() if line.startswith("blocked:")]
    assert "every_delivered_file_can_be_read" in blocked
    assert file.name in blocked
    assert (current(home).name, decisions(home)) == (stood, decisions(published_home.home))


def test_waivers_that_cannot_be_read_stop_the_run_before_it_begins(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    file = settings_of(home).waivers
    file.write_text("check_name,subject,from_date,until_date,owner,reason\na,b,2026-01-01,,Li Na,c\n", encoding="utf-8")
    ran = tiering(home, "run", "--date", str(published_home.next_day))
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False), ran.stderr
    assert f"waivers: line 2 of {file}: until_date is empty" in ran.stderr
