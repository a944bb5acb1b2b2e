"""Promises of the verdict log: what was said is read back, in order, and only known words enter it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_quality.verdicts import OWNERS, SEVERITIES, STATUSES, Verdict, append_verdicts, read_verdicts

VERDICTS = st.lists(
    st.builds(
        Verdict,
        check_name=st.text(st.characters(exclude_categories=["Cs"])),
        subject=st.text(st.characters(exclude_categories=["Cs"])),
        status=st.sampled_from(STATUSES),
        severity=st.sampled_from(SEVERITIES),
        owner=st.sampled_from(OWNERS),
        observed=st.text(st.characters(exclude_categories=["Cs"])),
        expected=st.text(st.characters(exclude_categories=["Cs"])),
        batch_ids=st.lists(st.text("0123456789abcdef", min_size=1)).map(tuple),
    )
)


@given(first=VERDICTS, second=VERDICTS)
def test_any_verdicts_come_back_as_they_were_given_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, first: list[Verdict], second: list[Verdict]
) -> None:
    log = tmp_path_factory.mktemp("log") / "runs" / "one.jsonl"
    append_verdicts(log, first)
    append_verdicts(log, second)
    assert read_verdicts(log) == first + second


def test_a_run_without_checks_has_no_verdicts(tmp_path: Path) -> None:
    assert read_verdicts(tmp_path / "runs" / "none.jsonl") == []


def test_an_unknown_word_in_a_log_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "one.jsonl"
    append_verdicts(log, [Verdict("check", "subject", "pass", "error", "dbt", "0 rows", "0 rows")])
    line = json.loads(log.read_text(encoding="utf-8"))
    log.write_text(json.dumps(line | {"status": "fine"}) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="status is 'fine', expected one of pass, warn"):
        read_verdicts(log)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_only_a_failure_or_an_error_of_error_severity_blocks(status: str, severity: str) -> None:
    verdict = Verdict("check", "subject", status, severity, "dbt", "", "")
    assert verdict.blocks == ((status, severity) in {("fail", "error"), ("error", "error")})
