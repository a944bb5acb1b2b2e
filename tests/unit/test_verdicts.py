"""Promises of the verdict log: what was said is read back, in order, sealed; only known words enter it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_quality.verdicts import OWNERS, SEVERITIES, STATUSES, ForgedVerdict, Verdict, VerdictLog

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VERDICTS = st.lists(
    st.builds(
        Verdict,
        check_name=TEXT,
        subject=TEXT,
        status=st.sampled_from(STATUSES),
        severity=st.sampled_from(SEVERITIES),
        owner=st.sampled_from(OWNERS),
        observed=TEXT,
        expected=TEXT,
        batch_ids=st.lists(st.text("0123456789abcdef", min_size=1)).map(tuple),
    )
)


def failing(check: str = "check") -> Verdict:
    return Verdict(check, "subject", "fail", "error", "dbt", "1 rows", "0 rows")


def log_of(file: Path, *verdicts: Verdict, run_id: str = "one") -> VerdictLog:
    log = VerdictLog(file, run_id, b"key")
    log.append(verdicts)
    return log


@given(first=VERDICTS, second=VERDICTS)
def test_any_verdicts_come_back_as_they_were_given_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, first: list[Verdict], second: list[Verdict]
) -> None:
    log = log_of(tmp_path_factory.mktemp("log") / "runs" / "one.jsonl", *first)
    log.append(second)
    assert [entry.verdict for entry in log.read()] == first + second


def test_a_run_without_checks_has_no_verdicts(tmp_path: Path) -> None:
    assert VerdictLog(tmp_path / "none.jsonl", "one", b"key").read() == []


@pytest.mark.parametrize(
    ("forge", "line"),
    [
        (lambda lines: [lines[0].replace('"fail"', '"pass"'), *lines[1:]], 1),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [*lines, lines[-1]], 4),
        (lambda lines: [lines[0], "{}", lines[2]], 2),
        (lambda lines: [lines[0], lines[1][:-40], lines[2]], 2),
    ],
    ids=["another status", "one left out", "another order", "one twice", "an empty one", "one cut off"],
)
def test_a_line_that_the_run_did_not_write_is_named(tmp_path: Path, forge, line: int) -> None:  # type: ignore[no-untyped-def]
    log = log_of(tmp_path / "one.jsonl", failing("a"), failing("b"), failing("c"))
    lines = log.file.read_text(encoding="utf-8").splitlines()
    log.file.write_text("\n".join([*forge(lines), ""]), encoding="utf-8")
    with pytest.raises(ForgedVerdict, match=f"line {line} of "):
        log.read()


def test_any_altered_byte_that_changes_what_a_line_says_is_seen(tmp_path: Path) -> None:
    log = log_of(tmp_path / "one.jsonl", failing())
    written = log.file.read_bytes()
    silent = []
    for place in range(len(written)):
        log.file.write_bytes(written[:place] + bytes([written[place] ^ 1]) + written[place + 1 :])
        try:
            if [entry.verdict for entry in log.read()] == [failing()]:
                silent.append(chr(written[place]))
        except ForgedVerdict:
            continue
    assert silent == []


def test_verdicts_of_another_run_or_of_another_key_are_forged(tmp_path: Path) -> None:
    log = log_of(tmp_path / "one.jsonl", failing())
    for run_id, key in (("two", b"key"), ("one", b"another key")):
        with pytest.raises(ForgedVerdict, match="its seal is not the one of its text"):
            VerdictLog(log.file, run_id, key).read()


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="status is 'fine', expected one of pass, warn"):
        Verdict("check", "subject", "fine", "error", "dbt", "0 rows", "0 rows")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_only_a_failure_or_an_error_of_error_severity_blocks(status: str, severity: str) -> None:
    verdict = Verdict("check", "subject", status, severity, "dbt", "", "")
    assert verdict.blocks == ((status, severity) in {("fail", "error"), ("error", "error")})
