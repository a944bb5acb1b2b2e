"""The gate before a release: every promised check was done by this run, on this build, and none stands in the way.

It believes no step that says it went well. It reads what was written, under its seals, and counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

from data_quality.conservation import conservation
from data_quality.deliveries import delivery_rules
from data_quality.drift import drift_rules
from data_quality.model_drift import MART as DRIFT_MART
from data_quality.model_drift import model_drift_rules
from data_quality.reconciliation import COMPARISONS, check_name
from data_quality.stability import MART, stability_rule
from data_quality.suites.candidates import contract_suite
from data_quality.suites.marts import mart_suites
from data_quality.thresholds import load_thresholds
from data_quality.verdicts import ForgedVerdict, Given, VerdictLog
from data_quality.waivers import EXPIRED_CHECK, WAIVERS
from orchestration import dbt
from orchestration.extract.contract import Table
from orchestration.extract.landing_checks import FILES_CHECK, LANDING_CHECKS
from orchestration.release.dictionary import marts_of

SHOWN = 5


class Refused(RuntimeError):
    """The release may not be published; the message says what stands in its way."""


class Promise(NamedTuple):
    """A check that every run does."""

    owner: str
    subject: str
    check_name: str


def promised_checks(manifest: dict[str, Any], tables: Sequence[Table]) -> list[Promise]:
    """What every run checks: derived from the judged ``tables``, the suites, the comparisons and dbt's ``manifest``."""
    thresholds = load_thresholds()
    usual = partial(delivery_rules, thresholds, arriving=[], before=[])
    families = dict.fromkeys(table.family for table in tables)
    suites = [
        *((table.name, contract_suite(table)) for table in tables),
        *((table.name, usual(table.name, table.event_date, table.control_amount)) for table in tables),
        *mart_suites().items(),
        *((mart.name, drift_rules(thresholds, mart.name)) for mart in marts_of(manifest) if mart.is_hashed),
        (MART, (stability_rule(),)),
        (DRIFT_MART, model_drift_rules()),
    ]
    return [
        *(Promise("landing", family, FILES_CHECK) for family in families),
        *(Promise("landing", table.name, check) for table in tables for check in LANDING_CHECKS),
        *(Promise("great_expectations", subject, rule.name) for subject, suite in suites for rule in suite),
        *(Promise("dbt", subject, test) for subject, test in dbt.promised_tests(manifest)),
        *(
            Promise("reconciliation", subject, check_name(measure))
            for subject, measure, *_ in (*conservation(tables), *COMPARISONS)
        ),
        Promise("waivers", WAIVERS, EXPIRED_CHECK),
    ]


def pass_gate(log: VerdictLog, promises: Collection[Promise], built_by: Sequence[str]) -> list[Given]:
    """The verdicts of a run that may publish. ``built_by`` are the runs that wrote the build file.

    Raises Refused when a verdict blocks, when a promised check has none, when a line of the log is not as the run wrote
    it, or when another run has written the build file since: its verdicts would be about something else.
    """
    try:
        given = log.read()
    except ForgedVerdict as error:
        raise Refused(f"publish: forged verdict: {error}") from error
    if list(built_by) != [log.run_id]:
        raise Refused(
            f"publish: stale verdicts: the build file was written by run {', '.join(built_by) or 'none'}, expected "
            f"{log.run_id}; run the day again"
        )
    verdicts = [entry.verdict for entry in given]
    done = {Promise(verdict.owner, verdict.subject, verdict.check_name) for verdict in verdicts}
    if missing := sorted(set(promises) - done):
        raise Refused(
            f"publish: {len(missing)} of {len(promises)} promised checks have no verdict: "
            f"{_listed([f'{promise.subject}: {promise.check_name}' for promise in missing])}; run the day again"
        )
    if blocking := [verdict for verdict in verdicts if verdict.blocks]:
        told = [f"{verdict.subject}: {verdict.check_name} ({verdict.observed})" for verdict in blocking]
        raise Refused(f"publish: {len(blocking)} checks block the release: {_listed(told)}")
    return given


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more
