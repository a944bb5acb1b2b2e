"""The front door: ``tiering``. Exit codes: 0 ok, 1 failed, 2 usage, 3 blocked by a quality gate, 4 locked."""

from __future__ import annotations

import gc
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli_audit import audit
from orchestration.cli_policy import policy
from orchestration.cli_reading import reading
from orchestration.cli_sources import sources
from orchestration.console import (
    FAILED,
    AsJson,
    err,
    instant_of,
    out,
    print_json,
    show_current,
    show_reproduction,
    show_step,
    show_tier_changes,
    span,
    stop_unless_published,
    told_plainly,
)
from orchestration.plan import days_between
from orchestration.release import catalogue
from orchestration.release.catalogue import current_release, read_release
from orchestration.release.comparison import compare_tiers
from orchestration.settings import Settings, load_settings
from orchestration.status import check_days, default_day, is_decided, undecided_before

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(reading)
app.add_typer(sources)
app.add_typer(audit, name="audit")
app.add_typer(policy, name="policy")


@app.callback()
def tiering() -> None:
    # A run makes millions of small objects that live to its end. A day stays below the threshold: collecting none of
    # them saves a second and costs no memory that was seen.
    gc.set_threshold(5_000_000, 50, 50)


@app.command()
def run(
    date_: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the newest complete day.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="Decide --date as it was known then (ISO 8601 with zone), and change nothing.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide a day: land what was delivered, build, check, publish. Undecided days before it are decided first."""
    with told_plainly():
        settings = load_settings()
        if known_at is not None:
            if date_ is None or dry_run:
                raise typer.BadParameter("--known-at needs --date and goes without --dry-run: it changes nothing")
            _decide_as_known(settings, date_.date(), instant_of("--known-at", known_at), as_json)
            return
        if not dry_run:
            from orchestration.extract.database import pull_databases

            pull_databases(settings)
        day = date_.date() if date_ else default_day(settings)
        check_days(settings, day, day)
        earlier = undecided_before(settings, day)
        if dry_run:
            out.print(f"would decide {span([str(day) for day in (*earlier, day)])} in {settings.home}")
            return
        if earlier:
            _decide(settings, earlier[0], earlier[-1])
        _decide(settings, day, day)
        show_current(settings, as_json)


@app.command()
def backfill(
    from_: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First as-of date.")],
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last as-of date.")],
    missing: Annotated[bool, typer.Option("--missing", help="Only from the first undecided day on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide a range of days in one run and publish the last."""
    with told_plainly():
        settings = load_settings()
        first, last = from_.date(), to.date()
        if last < first:
            raise typer.BadParameter(f"--to is {last}, expected a day not before --from {first}")
        if missing:
            undecided = [day for day in days_between(first, last) if not is_decided(settings, day)]
            if not undecided:
                out.print(f"every day from {first} to {last} is decided")
                return
            first = undecided[0]
        check_days(settings, first, last)
        _decide(settings, (undecided_before(settings, first) or [first])[0], last)
        show_current(settings, as_json)


@app.command()
def docs(
    folder: Annotated[Path | None, typer.Argument(help="Where index.html goes. Default: docs/ in the home.")] = None,
) -> None:
    """dbt's documentation of models, tables and tests as one page; nothing else can write while it is made."""
    from orchestration.dbt import write_docs
    from orchestration.locking import writing

    with told_plainly():
        settings = load_settings()
        page = (folder or settings.home / "docs").resolve() / "index.html"
        with writing(settings):
            write_docs(settings, page)
        out.print(str(page), markup=False, highlight=False)


@app.command()
def reproduce(
    release: Annotated[str | None, typer.Argument(help="A release id. Default: the current release.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute a release again from the raw zone, in a scratch home, and compare its marts. Exit code 1: they differ."""
    from orchestration import scratch

    with told_plainly():
        settings = load_settings()
        released = scratch.find_release(settings, release)
        err.print(f"computing {released['release_id']} again: {span(released['decided_dates'])}", highlight=False)
        done = scratch.reproduce(settings, released, show_step)
        if as_json:
            print_json(asdict(done) | {"is_identical": done.is_identical, "is_same_code": done.is_same_code})
        else:
            show_reproduction(done)
        if not done.is_identical:
            raise typer.Exit(FAILED)


@app.command()
def rollback(
    release: Annotated[str | None, typer.Argument(help="A release id. Default: the one before the current.")] = None,
) -> None:
    """Point CURRENT back at an earlier release. Decisions stay: they were published."""
    from orchestration.locking import writing

    with told_plainly():
        settings = load_settings()
        before = current_release(settings).name
        with writing(settings):
            now = catalogue.rollback(settings, release)
        out.print(f"current release is {now.name}, {before} stays; the next run publishes anew", highlight=False)


@app.command()
def demo(
    scale: Annotated[str, typer.Option(help="tiny, demo, S, M or L.")] = "demo",
    daily_days: Annotated[int, typer.Option(help="Days delivered one by one after the initial load.")] = 92,
) -> None:
    """Write the demo company's extracts into the landing folder."""
    from orchestration.demo.company import write_demo

    with told_plainly():
        settings = load_settings()
        summary = write_demo(settings.home, scale=scale, daily_days=daily_days)
        out.print(
            f"demo company: {summary.accounts:,} accounts, {summary.lines:,} order lines in {summary.files:,} files "
            f"below {settings.landing}; initial load {summary.initial_load}, then daily to {summary.last_day}"
        )


def _decide(settings: Settings, first: date, last: date) -> None:
    """Run the days as one run and show its steps. Say what stands in the way when nothing is published."""
    from orchestration.running import run_days

    err.print(f"deciding {first if first == last else f'{first} to {last}'}", highlight=False)
    outcome = run_days(settings, first, last, show_step)
    stop_unless_published(settings, outcome)
    err.print(f"published {current_release(settings).name}", highlight=False)


def _decide_as_known(settings: Settings, day: date, known_at: datetime, as_json: bool) -> None:
    """Decide the day with that knowledge in a scratch home; show the release that is kept and what it changes."""
    from orchestration import scratch

    err.print(f"deciding {day} as known at {known_at.isoformat()}; nothing will be changed", highlight=False)
    outcome, kept = scratch.decide_as_known(settings, day, known_at, show_step)
    stop_unless_published(kept, outcome)
    release = current_release(kept)
    decided = settings.decisions / f"{day}.parquet"
    changes = compare_tiers(decided, release / "customer_tiers.parquet") if decided.exists() else None
    if as_json:
        against = asdict(changes) if changes else None
        print_json(read_release(release) | {"home": str(kept.home), "against_decision": against})
    else:
        show_current(kept)
        out.print(f"kept as a home to read from: TIERING_HOME={kept.home}", markup=False)
        show_tier_changes(changes)


if __name__ == "__main__":
    app()
