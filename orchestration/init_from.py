"""What the files of a folder seem to hold, as proposals for ``sources.yml``: a first home by looking at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestration.errors import PlainError
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.physical import HeldFile
from orchestration.extract.propose import DAY_IN_NAME, TO_SAY, Proposed, propose
from orchestration.init import InitError, Proposal
from orchestration.settings import Settings


def proposals_from(settings: Settings, folder: Path) -> tuple[list[Proposal], list[str]]:
    """One proposal a table, from the newest of the files that are called alike, and what is to be said of the others.

    Of two kinds of files that resemble one table the likelier is proposed. Raises InitError for a folder without files.
    """
    if not folder.is_dir() or not any(path.is_file() for path in folder.iterdir()):
        raise InitError(f"init: --from is {folder}, expected a folder with one or more of your files in it")
    found: dict[str, tuple[Path, Proposed]] = {}
    notes = []
    for file, proposed in _looked_at(settings, folder):
        if isinstance(proposed, str):
            notes.append(f"{file.name} is left out: {proposed}")
            continue
        table, other = proposed.table.name, found.get(proposed.table.name)
        if other and other[1].likeness >= proposed.likeness:
            notes.append(f"{file.name} looks like {table}, as {other[0].name} does even more: left out")
            continue
        if other:
            notes.append(f"{other[0].name} looks like {table}, as {file.name} does even more: left out")
        found[table] = file, proposed
    return [proposal_of(proposed) for _, proposed in found.values()], notes


def newest_day(folder: Path) -> date | None:
    """The newest day that a file's name says; None where no name says one."""
    said = (match[0] for file in folder.iterdir() if (match := DAY_IN_NAME.search(file.name)))
    return max((day for text in said if (day := _day(text))), default=None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def proposal_of(proposed: Proposed) -> Proposal:
    """The proposal as sources.yml is rendered from it; what is required and not found is marked with ???."""
    entry = dict(proposed.entry)
    files, form, delivered = entry.pop("files"), entry.pop("format"), entry.pop("delivered")
    columns = {name: TO_SAY if spec is None else spec for name, spec in entry.pop("columns").items()}
    return Proposal(proposed.table.family, proposed.table, (files,), form, delivered, columns, entry)


def _looked_at(settings: Settings, folder: Path) -> Iterator[tuple[Path, Proposed | str]]:
    """The newest file of each name, days apart, with its proposal or why there is none."""
    newest = {DAY_IN_NAME.sub("", file.name): file for file in sorted(folder.iterdir()) if file.is_file()}
    with TemporaryDirectory() as scratch, connect_with_excel(settings.home / "extensions") as connection:
        look = replace(settings, home=Path(scratch))
        for file in newest.values():
            try:
                yield file, propose(connection, file, look, None)
            except (HeldFile, PlainError) as error:
                yield file, str(error)
