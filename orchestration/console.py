"""What the command line prints: consoles, exit codes, a run's steps, a published release, errors in plain words.

No command and no work is here; ``cli.py`` says what is done, this file how it is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from data_quality.waivers import WaiverError
from orchestration.errors import PlainError
from orchestration.locking import Locked
from orchestration.release.catalogue import SERVING, current_release, read_release
from orchestration.release.comparison import TierChanges
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.running import Outcome
    from orchestration.scratch import Reproduction

AsJson = Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")]

FAILED, USAGE, BLOCKED, LOCKED = 1, 2, 3, 4

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def show_step(step: str, state: str, seconds: float) -> None:
    """One line a finished step; on a terminal also the one that is running."""
    if state != "started":
        err.print(f"  {'ok    ' if state == 'done' else 'FAILED'} {step:<18} {seconds:6.1f} s", highlight=False)
    elif err.is_terminal:
        err.print(f"  …      {step}", end="\r", highlight=False)


def show_current(settings: Settings, as_json: bool = False) -> None:
    """The release that was just published: its tiers, money without a customer, and where to look."""
    release = current_release(settings)
    manifest = read_release(release)
    if as_json:
        print_json(manifest)
        return
    table = Table("tier", "", "customers", "net sales 365 days", title=f"release {release.name}", title_justify="left")
    for tier in manifest["tiers"]:
        amount = f"{float(tier['net_amount_365d']):,.2f}"
        table.add_row(tier["tier"], f"{tier['label_en']} {tier['label_zh']}", f"{tier['customers']:,}", amount)
    out.print(table)
    unattributed = manifest["unattributed"]
    out.print(f"without a customer: {unattributed['orders']:,} orders, {float(unattributed['net_amount']):,.2f}")
    out.print(f"report  {release / 'report.html'}")
    out.print(f"data    {release / SERVING}")
    out.print('ask     tiering sql "select * from customer_360 order by tier_score desc limit 10"', markup=False)


def show_tier_changes(changes: TierChanges | None) -> None:
    """How a decision made with other knowledge differs from the published one."""
    if changes is None:
        out.print("this day has no published decision to compare with")
        return
    table = Table("tier", "as decided", "as known then", title="against the published decision", title_justify="left")
    for tier, decided, then in changes.tiers:
        table.add_row(tier, f"{decided:,}", f"{then:,}")
    out.print(table)
    out.print(
        f"{changes.changed:,} customers change tier, {changes.only_decided:,} are in the published decision only, "
        f"{changes.only_then:,} in this one only"
    )


def show_reproduction(done: Reproduction) -> None:
    """Which marts came out the same, and what may explain those that did not."""
    for mart in done.marts:
        state = "identical" if mart.is_identical else "DIFFERS" if mart.recomputed else "NOT MADE"
        out.print(f"{state:<10} {mart.name}", highlight=False)
    for what, batches in (("no longer listed in the raw zone", done.lost_batches), ("new since", done.new_batches)):
        if batches:
            out.print(f"batches {what}: {', '.join(batches)}", highlight=False)
    for line in done.blocking:
        out.print(f"would be refused now: {line}", markup=False)
    if not done.is_same_code:
        out.print(
            f"the code may have changed: released by {done.released_by}, computed again by {done.recomputed_by}; "
            "a difference may come from that and need not be an alteration",
            highlight=False,
        )
    same = sum(mart.is_identical for mart in done.marts)
    out.print(f"{done.release_id}: {same} of {len(done.marts)} marts are identical", highlight=False)


def span(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"


def instant_of(option: str, text: str) -> datetime:
    """The instant that an option names; one without a zone is a usage error."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter(f"{option} is {text!r}, expected ISO 8601 with zone, like 2025-12-30T16:00:00+00:00")
    return instant


def print_json(document: Any) -> None:
    out.print_json(json.dumps(document, default=str))


def stop_unless_published(settings: Settings, outcome: Outcome) -> None:
    """Say what stood in the way of a run and end with the exit code that stands for it."""
    if outcome.success:
        return
    for line in outcome.blocking or outcome.errors:
        err.print(f"{'blocked' if outcome.blocking else 'failed'}: {line}", markup=False, style="red")
    err.print("nothing was published; the last release stands. The log: " + str(settings.verdict_log(outcome.run_id)))
    raise typer.Exit(BLOCKED if outcome.blocking else FAILED)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Errors that a person can mend are said in one line, with the exit code that stands for them."""
    try:
        yield
    except Locked as error:
        err.print(f"locked: {error}", markup=False)
        raise typer.Exit(LOCKED) from error
    except (PlainError, WaiverError) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(FAILED) from error
