"""``tiering audit``: what an auditor can check alone. Runs beside a run that is writing; changes nothing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orchestration.cli_reading import release_of
from orchestration.console import FAILED, AsJson, err, out, print_json, told_plainly
from orchestration.settings import load_settings

audit = typer.Typer(no_args_is_help=True, help="What an auditor can check alone.")

Day = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the current release's day.")
]


@audit.command()
def verify(
    head: Annotated[str | None, typer.Option(help="A head printed earlier, that must still be in the chain.")] = None,
    as_json: AsJson = False,
) -> None:
    """Is anything altered? Every raw file, decision, release, manifest and verdict against the hash it was given."""
    from orchestration.release.verify import verify as verified

    columns = (SpinnerColumn(), TextColumn("{task.completed:,} files"), TextColumn("{task.description}"))
    with told_plainly(), Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        settings = load_settings()
        task = progress.add_task("", total=None)
        done = verified(settings, head, lambda file: progress.update(task, advance=1, description=file.name))
    if as_json:
        print_json(asdict(done) | {"is_sound": done.is_sound})
    else:
        for alteration in done.alterations:
            out.print(f"ALTERED  {alteration.file}", markup=False, highlight=False, style="red")
            out.print(f"         found {alteration.found}, expected {alteration.expected}", markup=False)
        for file in done.open_ends:
            out.print(f"open     {file}: no release names it", markup=False, highlight=False)
        out.print(
            f"{len(done.alterations)} alterations in {done.files:,} files of {done.releases} releases; "
            f"head {done.head or 'none'}",
            highlight=False,
        )
    if not done.is_sound:
        raise typer.Exit(FAILED)


@audit.command()
def checks(
    date_: Day = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the checks that passed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Which checks ran before the release, and what they saw."""
    from orchestration.release.catalogue import connect_to

    with told_plainly():
        release = release_of(load_settings(), date_)
        with connect_to(release) as connection:
            counts = connection.sql(
                "select owner, status, count(*) from audit_checks group by all order by all"
            ).fetchall()
            found = connection.execute(
                "select owner, subject, check_name, status, severity, observed, expected, checked_at "
                "from audit_checks where status <> 'pass' or ? order by all",
                [everything],
            )
            names, rows = [column[0] for column in found.description], found.fetchall()
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    for row in rows:
        owner, subject, check, status, _, observed, expected, _ = row
        out.print(f"{status:<7} {subject}: {check} ({owner})", markup=False, highlight=False)
        out.print(f"        {observed}; expected {expected}", markup=False, highlight=False)
    for owner, status, count in counts:
        out.print(f"{owner:<20} {status:<7} {count:>6,}", highlight=False)


@audit.command()
def manifest(date_: Day = None) -> None:
    """What a release says of itself, as JSON: raw zone, code, lock, policy, model, verdicts, the hash of every file."""
    from orchestration.release.catalogue import read_release

    with told_plainly():
        print_json(read_release(release_of(load_settings(), date_)))
