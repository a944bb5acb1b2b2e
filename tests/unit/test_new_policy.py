"""Promises of ``tiering policy new``: a version begins as a copy and ends the last one, or nothing is written."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from installation import writer
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.locking import Locked, writing
from orchestration.new_policy import Draft, write_version
from orchestration.policy import PolicyError, check_policy, policy_sha256
from orchestration.policy_rules import broken_rules
from orchestration.settings import POLICY_SEEDS, Settings

DRAFT = Draft("2026.1", date(2026, 1, 1), "board", datetime(2025, 12, 20, 2, tzinfo=UTC), "More key accounts")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.exists() else {}


def test_a_new_version_has_the_rows_of_the_last_one_in_every_file_and_takes_over(settings: Settings) -> None:
    before = policy_sha256(POLICY_SEEDS, "2025.1")
    files = write_version(settings, DRAFT)
    assert settings.policy == settings.own_policy
    assert sorted(files) == sorted(settings.policy.glob("*.csv"))
    assert policy_sha256(settings.policy, "2025.1") == before, "released rows stay as they are"
    for file in files:
        old, new = ([row for row in rows(file) if row["policy_version"] == name] for name in ("2025.1", "2026.1"))
        if file.name != "policy_versions.csv":
            assert [row | {"policy_version": "2025.1"} for row in new] == old
    assert rows(settings.policy / "policy_versions.csv")[1] == {
        **{"policy_version": "2026.1", "effective_from": "2026-01-01", "effective_to": ""},
        **{"approved_at": "2025-12-20T02:00:00Z", "approved_by": "board", "note": "More key accounts"},
        "reporting_currency": "CNY",
    }
    first, second = check_policy(settings)
    assert (first.effective_to, second.effective_from) == (date(2026, 1, 1), date(2026, 1, 1))
    assert broken_rules(settings, settings.policy) == []


def test_a_version_may_begin_with_the_rows_of_an_earlier_one(settings: Settings) -> None:
    write_version(settings, DRAFT)
    bands = settings.policy / "policy_bands.csv"
    bands.write_text(bands.read_text(encoding="utf-8").replace("2026.1,abc,A,1,,0.80", "2026.1,abc,A,1,,0.70"), "utf-8")
    write_version(settings, replace(DRAFT, policy_version="2026.2", since=date(2026, 4, 1), copy_of="2025.1"))
    of_a = [row for row in rows(bands) if (row["lens"], row["band"]) == ("abc", "A")]
    upper = {row["policy_version"]: row["upper_bound"] for row in of_a}
    assert upper == {"2025.1": "0.80", "2026.1": "0.70", "2026.2": "0.80"}
    assert [version.effective_to for version in check_policy(settings)] == [date(2026, 1, 1), date(2026, 4, 1), None]


def test_what_a_stopped_attempt_left_is_not_doubled(settings: Settings) -> None:
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    weights = settings.own_policy / "policy_weights.csv"
    text = weights.read_text(encoding="utf-8")
    weights.write_text(text + text.partition("\n")[2].replace("2025.1", "2026.1"), encoding="utf-8")
    write_version(settings, DRAFT)
    assert broken_rules(settings, settings.policy) == []


def test_the_writing_of_a_spreadsheet_stays(settings: Settings) -> None:
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    weights = settings.own_policy / "policy_weights.csv"
    weights.write_bytes(b"\xef\xbb\xbf" + weights.read_bytes().replace(b"\n", b"\r\n"))
    begun = weights.read_bytes()
    write_version(settings, DRAFT)
    assert weights.read_bytes() == begun + begun.partition(b"\r\n")[2].replace(b"2025.1", b"2026.1")


REFUSED = [
    (replace(DRAFT, policy_version="2025.1"), r"version 2025\.1 is stated in .*, expected a new name"),
    (replace(DRAFT, policy_version="next year"), r"'next year' is no name of a version, expected one like 2026\.1"),
    (replace(DRAFT, copy_of="2024.1"), r"no version 2024\.1 to copy, expected one of 2025\.1"),
    (replace(DRAFT, since=date(2025, 1, 1)), "would take over on 2025-01-01, expected a day after 2025-01-01"),
    (replace(DRAFT, since=date(2025, 12, 31)), "would take over on 2025-12-31, expected a day after 2025-12-31"),
    (
        replace(DRAFT, approved_at=datetime(2026, 1, 2, 1, tzinfo=UTC)),
        r"approved at 2026-01-02T01:00:00Z, when 2026-01-01 has ended \(2026-01-02T00:00:00Z\).*--approved-at",
    ),
]


@pytest.mark.parametrize(("draft", "message"), REFUSED)
def test_a_version_that_cannot_be_in_force_from_that_day_writes_nothing(
    settings: Settings, draft: Draft, message: str
) -> None:
    settings.decisions.mkdir(parents=True)
    (settings.decisions / "2025-12-31.parquet").touch()
    with pytest.raises(PolicyError, match=message):
        write_version(settings, draft)
    assert not settings.own_policy.exists()


def test_a_version_follows_where_the_last_one_was_said_to_end(settings: Settings) -> None:
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    file = settings.own_policy / "policy_versions.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("2025-01-01,,", "2025-01-01,2026-02-01,"), "utf-8")
    before = contents(settings.own_policy)
    with pytest.raises(PolicyError, match="would take over on 2026-01-01, expected 2026-02-01"):
        write_version(settings, DRAFT)
    assert contents(settings.own_policy) == before
    write_version(settings, replace(DRAFT, since=date(2026, 2, 1)))
    assert broken_rules(settings, settings.policy) == []


def test_nothing_is_written_beside_a_run(settings: Settings) -> None:
    with writer(settings.home), pytest.raises(Locked):
        write_version(settings, DRAFT)
    assert not settings.own_policy.exists()
    with writing(settings):
        write_version(settings, DRAFT)


def test_the_command_says_what_to_edit_next(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERING_HOME", str(settings.home))
    words = ["policy", "new", "2999.1", "--from", "2999-01-01", "--approver", "board", "--note", "For the next era"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "version 2999.1 takes over on 2999-01-01" in told.output
    assert "tiering policy check" in told.output
    assert check_policy(settings)[1].approved_at.tzinfo is not None
    again = CliRunner().invoke(app, words)
    assert (again.exit_code, "expected a new name" in again.stderr) == (1, True)
