"""What an auditor asks: one dossier of a customer's tier, and the delivered rows behind a published one. Only reads."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from orchestration.cli_reading import release_of
from orchestration.console import FAILED, AsJson, err, out, print_json, told_plainly
from orchestration.release.catalogue import current_release
from orchestration.settings import load_settings

audit = typer.Typer(no_args_is_help=True, help="Why a customer is in its tier, down to the rows; what was checked.")

OnDate = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the current release's day.")
]


@audit.command()
def export(
    customer: Annotated[str, typer.Argument(help="A customer_id, or an account's code in any system.")],
    date_: OnDate = None,
    to: Annotated[Path | None, typer.Option(help="Default: dossier-<customer>-<date>.html here.")] = None,
    language: Annotated[str, typer.Option("--lang", help="en or zh: the language of its words.")] = "en",
    as_json: AsJson = False,
) -> None:
    """One file that shows and recomputes a tier: words, steps, rules, source rows by file and line, checks, hashes.

    Exit code 1: something in it does not agree with what was published.
    """
    from orchestration.release.dossier import dossier, page
    from orchestration.release.explain import LANGUAGES, UnknownCustomer
    from orchestration.warehouse import AlteredRaw

    if language not in LANGUAGES:
        raise typer.BadParameter(f"--lang is {language!r}, expected one of {', '.join(LANGUAGES)}")
    with told_plainly():
        settings = load_settings()
        release = release_of(settings, date_.date()) if date_ else current_release(settings)
        try:
            document = dossier(settings, release, customer, language)
        except (UnknownCustomer, AlteredRaw) as error:
            err.print(str(error), markup=False)
            raise typer.Exit(FAILED) from error
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
    date_: OnDate = None,
    as_json: AsJson = False,
) -> None:
    """The delivered rows behind a row of a mart, each with its file and line."""
    from orchestration.release.mart_rows import NoRow, rows_behind
    from orchestration.warehouse import AlteredRaw

    if wrong := [key for key in keys if "=" not in key]:
        raise typer.BadParameter(f"{wrong[0]!r} is no key, expected COLUMN=VALUE")
    with told_plainly():
        settings = load_settings()
        release = release_of(settings, date_.date()) if date_ else current_release(settings)
        try:
            found = rows_behind(settings, release, mart, dict(key.split("=", 1) for key in keys))
        except (NoRow, AlteredRaw) as error:
            err.print(str(error), markup=False)
            raise typer.Exit(FAILED) from error
        if as_json:
            print_json(asdict(found))
            return
        table = Table("file", "line", "of", "record", "state", title=release.name, title_justify="left")
        for place in found.places:
            table.add_row(place.file, str(place.line), place.of, place.record, place.state)
        out.print(table)
        out.print(found.note, markup=False)
