"""A company's own extracts: begin a home for them, see what would become of a file, pull what is in a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from orchestration.console import FAILED, AsJson, err, out, print_json, told_plainly
from orchestration.settings import load_settings

if TYPE_CHECKING:
    from orchestration.extract.map_report import MapReport

sources = typer.Typer(no_args_is_help=True)


@sources.command("map")
def map_(
    file: Annotated[Path, typer.Argument(help="An extract, wherever it lies.")],
    table: Annotated[
        str | None, typer.Option(help="The contract's table it holds, like sales.order. Default: found out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how a file is read: coverage, columns nobody reads, what looks wrong, what is rejected. Writes nothing.

    A file that a feed of sources.yml names is read as that feed says; for any other an entry is proposed.
    """
    from orchestration.extract.contract import ContractError
    from orchestration.extract.map_report import report_on
    from orchestration.extract.physical import HeldFile
    from orchestration.extract.registry import load_registry

    with told_plainly():
        settings = load_settings()
        registry = load_registry(settings.sources) if settings.sources.exists() else None
        try:
            reports = report_on(settings, file, registry, table)
        except (HeldFile, ContractError) as error:
            err.print(str(error), markup=False)
            raise typer.Exit(FAILED) from error
    if as_json:
        print_json([_document(report) for report in reports])
        return
    for report in reports:
        _show(report)


@sources.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The home to begin: a new folder.", metavar="DIR")],
    currency: Annotated[str, typer.Option(help="Of all reports, by ISO 4217.")] = "CNY",
    timezone: Annotated[str, typer.Option(help="Whose clock the systems show.")] = "Asia/Shanghai",
    company: Annotated[str, typer.Option(help="How reports call the company.")] = "The company",
    from_: Annotated[
        Path | None, typer.Option("--from", help="A folder with files of yours: sources.yml is proposed from them.")
    ] = None,
) -> None:
    """Begin a home for extracts of your own: sources.yml to be filled in, a policy, folders for the files."""
    from orchestration.init import START, Company, init_home
    from orchestration.init_from import newest_day, proposals_from

    with told_plainly():
        proposals, notes = proposals_from(load_settings(), from_) if from_ else (None, [])
        start = (newest_day(from_) if from_ else None) or START
        settings = init_home(folder.resolve(), Company(company, timezone, currency, start), proposals)
        for note in notes:
            out.print(note, markup=False, highlight=False)
        out.print(f"a home begins in {settings.home}; what to do next stands in", highlight=False)
        out.print(f"  {settings.home / 'README.md'}", markup=False, highlight=False)
        out.print(f"use it: export TIERING_HOME={settings.home}", markup=False, highlight=False)


@sources.command()
def extract() -> None:
    """Pull the tables of databases into the landing folder for the last day that is over; a run does it by itself."""
    from orchestration.extract.database import pull_databases

    with told_plainly():
        files = pull_databases(load_settings())
        for file in files:
            out.print(str(file), markup=False, highlight=False)
        if not files:
            out.print("nothing to pull: no source has a database, or each has been pulled for the last day")


def _show(report: MapReport) -> None:
    out.print(f"{report.file} as {report.table.name} ({report.feed})", style="bold", markup=False, highlight=False)
    found = report.candidate
    if found is not None and not found.held:
        out.print(
            f"{found.records:,} records: {found.accepted:,} accepted, {found.duplicates:,} duplicates, "
            f"{found.quarantined:,} rejected, {found.filtered:,} left out",
            highlight=False,
        )
    if report.held:
        err.print(f"would be held: {report.held}", style="red", markup=False, highlight=False)
    coverage = Table("column", "", "from", "filled", "what it is")
    for entry in report.entries:
        filled = f"{entry.filled / found.accepted:.0%}" if found is not None and found.accepted else ""
        source = entry.source or ("NOT MAPPED" if entry.column.is_required else "")
        doubt = " (unverified)" if entry.is_unverified else ""
        coverage.add_row(entry.column.name, entry.column.null_policy, source + doubt, filled, entry.column.description)
    out.print(coverage, markup=False)
    for name, guess in report.unread:
        out.print(f"not read: {name}" + (f"   may be {guess}" if guess else ""), markup=False, highlight=False)
    for rejection in report.rejections:
        shown = ", ".join(repr(text) for text in rejection.texts[:3]) or "not shown"
        out.print(
            f"rejected: {rejection.count:,} by {rejection.rule} of {rejection.column or 'the whole record'}, "
            f"record {', '.join(map(str, rejection.lines))}: {shown}",
            markup=False,
            highlight=False,
        )
    for sentence in report.surprises:
        out.print(f"look at: {sentence}", markup=False, highlight=False)
    if report.proposed is not None:
        from orchestration.init import render_table
        from orchestration.init_from import proposal_of

        out.print("\nAn entry to begin with, below tables: of its system in sources.yml; ??? is yours to say:\n")
        out.print(render_table(proposal_of(report.proposed)), markup=False, highlight=False)
    elif not report.held:
        out.print(f"nothing was written; it lands with the next `tiering run` ({report.feed})", highlight=False)


def _document(report: MapReport) -> dict[str, object]:
    found = report.candidate
    counts = ("records", "accepted", "duplicates", "quarantined", "filtered")
    return {
        "file": report.file,
        "table": report.table.name,
        "feed": report.feed,
        "held": report.held,
        "unmapped_required": report.unmapped_required,
        **({name: getattr(found, name) for name in counts} if found is not None else {}),
        "columns": {
            entry.column.name: {"from": entry.source, "filled": entry.filled, "unverified": entry.is_unverified}
            for entry in report.entries
        },
        "not_read": dict(report.unread),
        "rejections": [vars(rejection) for rejection in report.rejections],
        "surprises": report.surprises,
        "proposed": report.proposed.entry if report.proposed else None,
    }
