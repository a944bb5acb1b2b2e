"""Promises of the gate: what every run checks was checked by this run, on this build, and nothing stands in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from installation import Published, copy_of, current, decisions, settings_of

from data_quality.verdicts import OWNERS, Verdict, VerdictLog
from orchestration import dbt
from orchestration.assets.delivery import RELEASE_KEY
from orchestration.definitions import JOB, build_defs
from orchestration.extract.landing import judged_tables
from orchestration.extract.registry import load_registry
from orchestration.release.catalogue import read_release
from orchestration.release.gate import Promise, Refused, pass_gate, promised_checks
from orchestration.running import open_instance
from orchestration.verdict_log import verdict_log


@pytest.fixture(scope="module")
def promises(published_home: Published) -> list[Promise]:
    settings = published_home.settings
    tables = judged_tables(settings, load_registry(settings.sources))
    return promised_checks(dbt.manifest_document(dbt.manifest_path(settings)), tables)


@pytest.fixture(scope="module")
def given(published_home: Published) -> list[Verdict]:
    """The verdicts that let the last release out."""
    log = verdict_log(published_home.settings, read_release(published_home.release)["run_id"])
    return [entry.verdict for entry in log.read()]


def log_of(folder: Path, verdicts: list[Verdict]) -> VerdictLog:
    log = VerdictLog(folder / "one.jsonl", "one", b"key")
    log.file.unlink(missing_ok=True)
    log.append(verdicts)
    return log


def refusal(log: VerdictLog, promises: list[Promise]) -> str:
    with pytest.raises(Refused) as refused:
        pass_gate(log, promises, ["one"])
    return str(refused.value)


def of(promise: Promise, verdict: Verdict) -> bool:
    return promise == (verdict.owner, verdict.subject, verdict.check_name)


def test_a_run_does_what_is_promised_and_promises_what_it_does(promises: list[Promise], given: list[Verdict]) -> None:
    done = {Promise(verdict.owner, verdict.subject, verdict.check_name) for verdict in given}
    assert sorted(done ^ set(promises)) == []
    assert {promise.owner for promise in promises} == set(OWNERS)
    assert len(promises) > 300


def test_the_verdicts_of_a_published_run_pass(tmp_path: Path, promises: list[Promise], given: list[Verdict]) -> None:
    entries = pass_gate(log_of(tmp_path, given), promises, ["one"])
    assert [entry.verdict for entry in entries] == given


def test_each_promised_check_can_block(tmp_path: Path, promises: list[Promise], given: list[Verdict]) -> None:
    log = log_of(tmp_path, given)
    sound = log.file.read_bytes()
    silent = []
    for promise in promises:
        verdict = next(verdict for verdict in given if of(promise, verdict))
        log.file.write_bytes(sound)
        log.append([replace(verdict, status="fail", severity="error")])
        if f"1 checks block the release: {promise.subject}: {promise.check_name} (" not in refusal(log, promises):
            silent.append(promise)
    assert silent == []


def test_a_promised_check_without_a_verdict_blocks(
    tmp_path: Path, promises: list[Promise], given: list[Verdict]
) -> None:
    for promise in promises[::20]:
        log = log_of(tmp_path, [verdict for verdict in given if not of(promise, verdict)])
        missing = f"1 of {len(promises)} promised checks have no verdict: {promise.subject}: {promise.check_name};"
        assert missing in refusal(log, promises)


def test_a_forged_line_refuses_the_release(tmp_path: Path, promises: list[Promise], given: list[Verdict]) -> None:
    log = log_of(tmp_path, [replace(given[0], status="fail", severity="error"), *given[1:]])
    log.file.write_text(log.file.read_text(encoding="utf-8").replace('"fail"', '"pass"', 1), encoding="utf-8")
    with pytest.raises(Refused, match="forged verdict: verdicts: line 1 of "):
        pass_gate(log, promises, ["one"])


@pytest.mark.parametrize("built_by", [["two"], [], ["one", "two"]])
def test_verdicts_on_a_build_that_another_run_has_written_are_stale(
    tmp_path: Path, promises: list[Promise], given: list[Verdict], built_by: list[str]
) -> None:
    with pytest.raises(Refused, match=r"stale verdicts: the build file was written by run .*, expected one; run the"):
        pass_gate(log_of(tmp_path, given), promises, built_by)


def test_a_release_asked_for_by_itself_finds_no_verdicts_of_its_run_and_is_refused(
    published_home: Published, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    with open_instance(settings) as instance:
        job = build_defs(settings).resolve_job_def(JOB).get_subset(asset_selection={RELEASE_KEY})
        ran = job.execute_in_process(
            instance=instance, partition_key=str(published_home.days[-1]), raise_on_error=False
        )
    (failure,) = [event.step_failure_data.error for event in ran.all_events if event.is_step_failure]
    while failure is not None and failure.cause is not None:
        failure = failure.cause
    assert failure is not None
    assert (failure.cls_name, "publish: stale verdicts: the build file" in failure.message) == ("Refused", True)
    assert (current(settings.home).name, decisions(settings.home)) == (
        published_home.release.name,
        decisions(published_home.home),
    )
