"""Promises of waivers: they cover one failure for some days, say who answers for it, and end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from data_quality.verdicts import Verdict
from data_quality.waivers import WaiverError, apply_waivers, expired_verdict, load_waivers
from orchestration.settings import Settings
from orchestration.verdict_log import give_verdicts, verdict_log

HEADER = "check_name,subject,from_date,until_date,owner,reason\n"
ROW = "volume_share_within_reason,sales.order,2026-02-16,2026-02-22,Li Na,closed for the Spring Festival\n"
FAILED = Verdict(
    "volume_share_within_reason", "sales.order", "fail", "error", "great_expectations", "3 records", "more", ("b1",)
)
IN_FORCE = date(2026, 2, 22)


def written(folder: Path, text: str) -> Path:
    file = folder / "waivers.csv"
    file.write_text(text, encoding="utf-8")
    return file


def waived(folder: Path, verdict: Verdict, day: date = IN_FORCE) -> Verdict:
    (found,) = apply_waivers([verdict], load_waivers(written(folder, HEADER + ROW)), day)
    return found


def test_a_waiver_in_force_lets_the_failure_pass_and_says_by_whom_until_when_and_why(tmp_path: Path) -> None:
    verdict = waived(tmp_path, FAILED)
    assert (verdict.status, verdict.blocks, verdict.batch_ids) == ("waived", False, ("b1",))
    assert verdict.observed == "3 records; waived by Li Na until 2026-02-22: closed for the Spring Festival"


@pytest.mark.parametrize(
    "other",
    [
        replace(FAILED, check_name="columns_are_as_promised"),
        replace(FAILED, subject="sales.order_line"),
        replace(FAILED, status="pass"),
        replace(FAILED, status="error"),
        replace(FAILED, owner="dbt"),
    ],
)
def test_it_covers_no_other_check_no_broken_set_up_and_nothing_that_dbt_refused(other: Verdict, tmp_path: Path) -> None:
    assert waived(tmp_path, other) == other


def test_a_warning_can_be_waived_even_one_of_dbt(tmp_path: Path) -> None:
    assert waived(tmp_path, replace(FAILED, owner="dbt", status="warn", severity="warning")).status == "waived"


@pytest.mark.parametrize(("day", "status"), [("15", "fail"), ("16", "waived"), ("22", "waived"), ("23", "fail")])
def test_both_its_days_count_and_none_outside(day: str, status: str, tmp_path: Path) -> None:
    assert waived(tmp_path, FAILED, date.fromisoformat(f"2026-02-{day}")).status == status


def test_an_expired_waiver_is_reported_as_a_warning_that_names_it(tmp_path: Path) -> None:
    waivers = load_waivers(written(tmp_path, HEADER + ROW))
    assert expired_verdict(waivers, IN_FORCE).status == "pass"
    late = expired_verdict(waivers, date(2026, 2, 23))
    assert (late.status, late.blocks, late.owner) == ("warn", False, "waivers")
    assert late.observed == "volume_share_within_reason on sales.order, until 2026-02-22 by Li Na"


def test_what_is_logged_is_what_the_waivers_leave(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    written(settings.home, HEADER + ROW)
    given = give_verdicts(settings, "run", IN_FORCE, [FAILED, replace(FAILED, subject="crm.account")])
    assert [verdict.status for verdict in given] == ["waived", "fail"]
    assert [entry.verdict for entry in verdict_log(settings, "run").read()] == given


def test_without_a_file_nothing_is_waived(tmp_path: Path) -> None:
    assert load_waivers(tmp_path / "waivers.csv") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            HEADER.replace("until_date,", "") + ROW,
            "has columns .*, expected check_name, .* write them",
        ),
        (HEADER + ROW.replace("2026-02-22", ""), "line 2 .*: until_date is empty, .* has an owner and an end"),
        (HEADER + ROW.replace("Li Na", " "), "line 2 .*: owner is empty"),
        (
            HEADER + ROW + ROW.replace("2026-02-22", "for ever"),
            "line 3 .*: until_date is 'for ever', expected a day",
        ),
        (
            HEADER + ROW.replace("2026-02-22", "2026-02-15"),
            "until_date is 2026-02-15, expected 2026-02-16,",
        ),
    ],
)
def test_a_file_that_does_not_say_what_it_must_is_refused_with_the_mend(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match=told):
        load_waivers(written(tmp_path, text))
