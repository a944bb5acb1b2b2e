"""Promises of the log of publications: a chain that shows every line that is not as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestration.release.publications import (
    LOG,
    PUBLISHED,
    RETIRED,
    ROLLED_BACK,
    LogError,
    read_log,
    releases,
    retired,
    write_event,
)
from orchestration.settings import Settings


def manifest(day: int) -> dict[str, Any]:
    return {
        "release_id": f"2025-01-{day:02}-x",
        "as_of_date": f"2025-01-{day:02}",
        "known_at": f"2025-01-{day:02}T20:00:00+00:00",
        "policy_version": "2025.1",
        "customer_count": day,
        "net_amount_365d": f"{day}.5000",
        "published_at": f"2025-02-{day:02}T03:00:00+00:00",
        "tiers": ["not in the log"],
    }


@pytest.fixture
def logged(settings: Settings) -> Settings:
    settings.releases.mkdir(parents=True)
    for kind, day in ((PUBLISHED, 2), (PUBLISHED, 3), (ROLLED_BACK, 2), (RETIRED, 3)):
        write_event(settings, kind, manifest(day), f"hash of {day}")
    return settings


def test_what_was_logged_is_read_back_in_order(logged: Settings) -> None:
    assert [(event.number, event.kind, event.release_id, event.manifest_sha256) for event in read_log(logged)] == [
        (1, "published", "2025-01-02-x", "hash of 2"),
        (2, "published", "2025-01-03-x", "hash of 3"),
        (3, "rolled back", "2025-01-02-x", "hash of 2"),
        (4, "retired", "2025-01-03-x", "hash of 3"),
    ]


def test_every_published_release_is_listed_once_and_the_retired_are_told(logged: Settings) -> None:
    assert [(release.release_id, str(release.net_amount_365d)) for release in releases(logged)] == [
        ("2025-01-02-x", "2.5000"),
        ("2025-01-03-x", "3.5000"),
    ]
    assert retired(read_log(logged)) == {"2025-01-03-x"}
    write_event(logged, PUBLISHED, manifest(3), "hash of 3")
    assert retired(read_log(logged)) == set()


def test_a_home_without_a_release_has_an_empty_log(settings: Settings) -> None:
    assert (read_log(settings), releases(settings)) == ([], [])


def test_any_altered_byte_names_its_line_or_the_one_after(logged: Settings) -> None:
    file = logged.releases / LOG
    written = file.read_bytes()
    for place in range(0, len(written) - 1, 7):
        file.write_bytes(written[:place] + bytes([written[place] ^ 1]) + written[place + 1 :])
        line = written[:place].count(b"\n") + 1
        with pytest.raises(LogError, match=f"line ({line}|{line + 1}) of "):
            read_log(logged)


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_a_line_left_out_is_seen(logged: Settings, left_out: int) -> None:
    file = logged.releases / LOG
    lines = file.read_text(encoding="utf-8").splitlines()
    del lines[left_out]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    with pytest.raises(LogError, match=rf"line {left_out + 1} of .*\(it does not follow the line before it"):
        read_log(logged)


def test_a_line_says_what_lists_of_releases_need_and_no_more(logged: Settings) -> None:
    fields = json.loads((logged.releases / LOG).read_text(encoding="utf-8").splitlines()[0])
    assert set(fields) == {"number", "kind", "manifest_sha256", "at", "release", "before", "sha256"}
    assert "tiers" not in fields["release"]
