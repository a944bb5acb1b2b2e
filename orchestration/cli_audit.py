"""What an auditor asks: what is altered, what was checked, why a tier, which delivered rows. Only reads."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestration.cli_reading import Language, release_of
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
    from orchestration.audit.verify import verify as verified

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


@audit.command()
def export(
    customer: Annotated[str, typer.Argument(help="A customer_id, or an account's code in any system.")],
    date_: Day = None,
    to: Annotated[Path | None, typer.Option(help="Default: dossier-<customer>-<date>.html here.")] = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """One file that shows and recomputes a tier: words, steps, rules, source rows by file and line, checks, hashes.

    Exit code 1: something in it does not agree with what was published.
    """
    from orchestration.audit.dossier import dossier, page

    with told_plainly():
        settings = load_settings()
        release = release_of(settings, date_)
        document = dossier(settings, release, customer, language)
        if as_json:
            print_json(document)
        else:
            file = to or Path(f"dossier-{document['customer_id']}-{document['as_of_date']}.html")
            file.write_text(page(document), encoding="utf-8")
            for seal in document["seals"]:
                out.print(f"{'ok  ' if seal['is_kept'] else 'FAIL'} {seal['what']}: {seal['found']}", markup=False)
            out.print(f"dossier  {file.resolve()}", markup=False)
        if not all(seal["is_kept"] for seal in document["seals"]):
            raise typer.Exit(FAILED)


@audit.command()
def rows(
    mart: Annotated[str, typer.Argument(help="A published mart, like customer_orders.")],
    keys: Annotated[list[str], typer.Argument(help="Which row: COLUMN=VALUE, like order_id=SO-1.")],
    date_: Day = None,
    as_json: AsJson = False,
) -> None:
    """The delivered rows behind a row of a mart, each with its file and line."""
    from orchestration.audit.mart_rows import rows_behind

    if wrong := [key for key in keys if "=" not in key]:
        raise typer.BadParameter(f"{wrong[0]!r} is no key, expected COLUMN=VALUE")
    with told_plainly():
        settings = load_settings()
        release = release_of(settings, date_)
        found = rows_behind(settings, release, mart, dict(key.split("=", 1) for key in keys))
        if as_json:
            print_json(asdict(found))
            return
        table = Table("file", "line", "of", "record", "state", title=release.name, title_justify="left")
        for place in found.places:
            table.add_row(place.file, str(place.line), place.of, place.record, place.state)
        out.print(table)
        out.print(found.note, markup=False)


@audit.command()
def personal(
    customer: Annotated[str | None, typer.Argument(help="What is kept of one customer, by its id or any code.")] = None,
    as_json: AsJson = False,
) -> None:
    """Where personal data is and who may read it; of a customer, how many values the vault holds. Never a value."""
    from orchestration.audit.personal import kept_of, personal_columns

    with told_plainly():
        settings = load_settings()
        release = release_of(settings, None)
        found = kept_of(settings, release, customer) if customer else personal_columns(settings, release)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    names = [name.replace("_", " ") for name in asdict(found[0])] if found else []
    table = Table(*names, title=release.name, title_justify="left")
    for row in found:
        values = asdict(row).values()
        table.add_row(*(", ".join(value) or "none" if isinstance(value, tuple) else str(value) for value in values))
    out.print(table)
