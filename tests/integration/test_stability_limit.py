"""Promise of the stability limit: a day that moves more customers than the policy lets one is not published."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from installation import Published, copy_of, current, decisions, settings_of, tiering

from orchestration.new_policy import Draft, write_version

LIMIT = "tier_moved_limit,0.25"


def test_a_day_that_moves_more_than_the_limit_is_held_back_by_the_name_of_its_row(
    published_home: Published, tmp_path: Path
) -> None:
    settings, day = settings_of(copy_of(published_home, tmp_path)), published_home.next_day
    approved_at = datetime.combine(day - timedelta(days=1), time(), UTC)
    write_version(settings, Draft("2026.1", day, "board", approved_at, "Nobody may move"))
    rows = settings.policy / "policy_parameters.csv"
    text = rows.read_text(encoding="utf-8")
    assert f"2026.1,{LIMIT}" in text
    rows.write_text(text.replace(f"2026.1,{LIMIT}", "2026.1,tier_moved_limit,0"), encoding="utf-8")
    before = current(settings.home).name, decisions(settings.home)
    ran = tiering(settings.home, "run", "--date", str(day))
    assert ran.returncode == 3
    assert "policy 2026.1 lets 0 move in a day (policy_parameters.csv, tier_moved_limit)" in ran.stderr + ran.stdout
    assert (current(settings.home).name, decisions(settings.home)) == before
