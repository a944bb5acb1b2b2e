"""The front door: ``tiering``. Exit codes: 0 ok, 1 failed, 2 usage, 3 blocked by a quality gate, 4 locked."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestration.dbt import DbtError
from orchestration.doctor import examine
from orchestration.extract.manifest import ManifestError
from orchestration.extract.registry import SourcesError
from orchestration.locking import Locked
from orchestration.plan import PlanError, days_between
from orchestration.release.catalogue import MANIFEST, SERVING, NoRelease, current_release
from orchestration.settings import Settings, SettingsError, load_settings
from orchestration.status import check_days, default_day, is_decided, standing, undecided_before

FAILED, USAGE, BLOCKED, LOCKED = 1, 2, 3, 4

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="An as-of date.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")]


@app.command()
def run(
    date_: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the newest complete day.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide a day: land what was delivered, build, check, publish. Undecided days before it are decided first."""
    with _told_plainly():
        settings = load_settings()
        day = date_.date() if date_ else default_day(settings)
        check_days(settings, day, day)
        earlier = undecided_before(settings, day)
        if dry_run:
            out.print(f"would decide {_span([str(day) for day in (*earlier, day)])} in {settings.home}")
            return
        if earlier:
            _decide(settings, earlier[0], earlier[-1])
        _decide(settings, day, day)
        _show_release(settings, as_json)


@app.command()
def backfill(
    from_: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First as-of date.")],
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last as-of date.")],
    missing: Annotated[bool, typer.Option("--missing", help="Only from the first undecided day on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide a range of days in one run and publish the last."""
    with _told_plainly():
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
        _show_release(settings, as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Releases, freshness, undecided days, and which extract is missing for a day."""
    with _told_plainly():
        facts = standing(load_settings())
        if as_json:
            out.print_json(json.dumps(facts))
            return
        undecided, incomplete = facts["undecided_days"], facts["incomplete_days"]
        out.print(f"home             {facts['home']}")
        out.print(f"current release  {facts['current_release'] or 'none yet: tiering run'} of {len(facts['releases'])}")
        out.print(f"newest delivery  {facts['newest_delivery']}")
        out.print(f"undecided days   {len(undecided)}{': ' + _span(undecided) if undecided else ''}")
        for day, names in list(incomplete.items())[-5:]:
            out.print(f"missing on {day}: {', '.join(names)}")


@app.command()
def path() -> None:
    """The current release's folder."""
    with _told_plainly():
        out.print(str(current_release(load_settings())))


@app.command()
def sql(query: str, as_json: AsJson = False) -> None:
    """SQL over the current release, read-only; runs beside a run that is writing."""
    import duckdb

    if not query.strip(" ;"):
        raise typer.BadParameter("the query is empty, expected a select over the release's marts")
    with _told_plainly():
        database = current_release(load_settings()) / SERVING
        with duckdb.connect(str(database), read_only=True, config={"enable_external_access": "false"}) as connection:
            try:
                result = connection.execute(query)
            except duckdb.Error as error:
                err.print(str(error), markup=False)
                raise typer.Exit(USAGE) from error
            names = [column[0] for column in result.description]
            rows = result.fetchall()
    if as_json:
        out.print_json(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
        return
    table = Table(*names, title=database.parent.name)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What is wrong with this installation and how to mend it."""
    with _told_plainly():
        findings = examine(load_settings())
        if as_json:
            out.print_json(json.dumps([vars(finding) for finding in findings]))
        else:
            for finding in findings:
                out.print(f"{'ok  ' if finding.is_ok else 'MEND'} {finding.what}: {finding.found}", markup=False)
                if not finding.is_ok:
                    out.print(f"     {finding.mend}", markup=False)
        if not all(finding.is_ok for finding in findings):
            raise typer.Exit(FAILED)


@app.command()
def demo(
    scale: Annotated[str, typer.Option(help="tiny, demo, S, M or L.")] = "demo",
    daily_days: Annotated[int, typer.Option(help="Days delivered one by one after the initial load.")] = 92,
) -> None:
    """Write the demo company's extracts into the landing folder."""
    from orchestration.demo.company import DemoError, write_demo

    with _told_plainly():
        settings = load_settings()
        try:
            summary = write_demo(settings.home, scale=scale, daily_days=daily_days)
        except DemoError as error:
            err.print(str(error), markup=False)
            raise typer.Exit(FAILED) from error
        out.print(
            f"demo company: {summary.accounts:,} accounts, {summary.lines:,} order lines in {summary.files:,} files "
            f"below {settings.landing}; initial load {summary.initial_load}, then daily to {summary.last_day}"
        )


def _decide(settings: Settings, first: date, last: date) -> None:
    """Run the days as one run and show its steps. Say what stands in the way when nothing is published."""
    # A run makes millions of small objects that live to its end; collecting them costs a tenth of its time.
    gc.set_threshold(200_000, 50, 50)
    from orchestration.running import run_days

    def on_step(step: str, state: str, seconds: float) -> None:
        if state != "started":
            err.print(f"  {'ok    ' if state == 'done' else 'FAILED'} {step:<18} {seconds:6.1f} s", highlight=False)
        elif err.is_terminal:
            err.print(f"  …      {step}", end="\r", highlight=False)

    span = str(first) if first == last else f"{first} to {last}"
    err.print(f"deciding {span}", highlight=False)
    outcome = run_days(settings, first, last, on_step)
    if not outcome.success:
        for line in outcome.blocking or outcome.errors:
            err.print(f"{'blocked' if outcome.blocking else 'failed'}: {line}", markup=False, style="red")
        err.print(
            "nothing was published; the last release stands. The log: " + str(settings.verdict_log(outcome.run_id))
        )
        raise typer.Exit(BLOCKED if outcome.blocking else FAILED)
    err.print(f"published {current_release(settings).name}", highlight=False)


def _show_release(settings: Settings, as_json: bool) -> None:
    """The release that was just published: its tiers, money without a customer, and where to look."""
    release = current_release(settings)
    manifest = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    if as_json:
        out.print_json(json.dumps(manifest))
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


def _span(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Errors that a person can mend are said in one line, with the exit code that stands for them."""
    try:
        yield
    except Locked as error:
        err.print(f"locked: {error}", markup=False)
        raise typer.Exit(LOCKED) from error
    except (SettingsError, SourcesError, PlanError, ManifestError, NoRelease, DbtError) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(FAILED) from error


if __name__ == "__main__":
    app()
