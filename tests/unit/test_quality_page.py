"""Promises of the quality page: every check is on it, what did not pass comes first, and it needs no network."""

from __future__ import annotations

import re
from datetime import date

from data_quality.verdicts import OWNERS, Verdict
from data_quality.waivers import Waiver
from orchestration.release import quality_page
from orchestration.release.quality_page import PastRelease, render_quality

RELEASE = {"release_id": "2026-01-31-1a2b3c4d", "as_of_date": "2026-01-31", "policy_version": "2025.1", "run_id": "r1"}
HOSTILE = "<script>alert('Acme')</script>"
VERDICTS = [
    Verdict(
        "tier_is_not_null", "customer_tiers", "pass", "error", "great_expectations", "0 of 9 rows", "no row", ("b1",)
    ),
    Verdict(
        "gross_amount_is_not_zero",
        "sales.order_line",
        "warn",
        "warning",
        "great_expectations",
        "2 of 9",
        "none",
        ("b1", "b2", "held"),
    ),
    Verdict("net_amount", HOSTILE, "fail", "error", "reconciliation", "1.0000, residual 1.0000", "0.0000"),
    Verdict("no_row_is_quarantined", "crm.account", "waived", "warning", "landing", "4; waived by Li Na", "none"),
]
FILES = {"b1": "sales/order_line_20260130.parquet", "b2": "sales/order_line_20260131.parquet"}
WAIVERS = [
    Waiver("a", "crm.account", date(2026, 1, 1), date(2026, 1, 31), "Li Na", "mended in February"),
    Waiver("b", "crm.account", date(2026, 1, 1), date(2026, 1, 30), "Chen Wei", "was mended"),
    Waiver("c", "crm.account", date(2026, 2, 1), date(2026, 2, 9), "Wu Min", "a holiday"),
]
COUNTS = {"pass": 400, "warn": 17, "waived": 0, "fail": 0, "error": 0}
BEFORE = [PastRelease("2026-01-30-00000000", "2026-01-30", COUNTS)]


def page(**changes: object) -> str:
    facts = {"verdicts": VERDICTS, "files": FILES, "waivers": WAIVERS, "before": BEFORE} | changes
    return render_quality(RELEASE, **facts)  # type: ignore[arg-type]


def rows(html: str, section: str) -> list[str]:
    """The rows of a section's tables, as text."""
    part = re.split(r"<h2 id=", html)
    (found,) = [text for text in part if text.startswith(f'"{section}"')]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr><td.*?</tr>", found, re.DOTALL)]


def test_every_check_is_listed_once_and_what_did_not_pass_again_worst_first() -> None:
    html = page()
    assert len(rows(html, "all")) == len(VERDICTS)
    assert [row.split()[0] for row in rows(html, "open")] == ["fail", "warn", "waived"]


def test_the_files_with_offending_rows_are_named_and_none_where_the_check_passed() -> None:
    warned = rows(page(), "open")[1]
    assert "2 of 9 in sales/order_line_20260130.parquet, sales/order_line_20260131.parquet none" in warned
    assert not [row for row in rows(page(), "all") if "tier is not null" in row and ".parquet" in row]


def test_waivers_tell_their_state_on_the_day_of_the_release() -> None:
    assert [row.split(" crm.account")[0] for row in rows(page(), "waivers")] == ["in force a", "expired b", "to come c"]


def test_the_history_begins_with_this_release_and_names_none_twice() -> None:
    told = rows(page(before=[*BEFORE, PastRelease(RELEASE["release_id"], "2026-01-31", COUNTS)]), "history")
    assert told == ["2026-01-31-1a2b3c4d 2026-01-31 0 1 1 1 1", "2026-01-30-00000000 2026-01-30 0 0 17 0 400"]


def test_the_page_is_offline_repeatable_and_shows_no_markup_of_the_data() -> None:
    html = page()
    assert not re.search(r"https?://|\bsrc\s*=|@import|<link|<script|<iframe|<image", html)
    targets = set(re.findall(r"href=\"([^\"#]*)", html))
    assert targets <= {"", "report.html"}
    assert set(re.findall(r'href="#(\w+)"', html)) == set(re.findall(r'<h2 id="(\w+)"', html))
    assert "&lt;script&gt;" in html
    assert html == page()


def test_every_owner_of_checks_has_its_place() -> None:
    assert set(quality_page.OWNERS) == set(OWNERS)
