"""Where a run's verdicts are given: the one place that waives, and that appends to the run's log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from data_quality.verdicts import Verdict, VerdictLog
from data_quality.waivers import apply_waivers, load_waivers
from orchestration.extract.vault import load_pseudonymiser
from orchestration.settings import Settings


def verdict_log(settings: Settings, run_id: str) -> VerdictLog:
    """The log of a run's verdicts, sealed under a key of the installation's own."""
    return VerdictLog(settings.verdict_log(run_id), run_id, load_pseudonymiser(settings).sealing_key)


def give_verdicts(settings: Settings, run_id: str, as_of_date: date, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Log the verdicts as the waivers in force on the run's last day leave them, and return those."""
    given = apply_waivers(verdicts, load_waivers(settings.waivers), as_of_date)
    verdict_log(settings, run_id).append(given)
    return given
