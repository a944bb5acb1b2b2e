"""The policy in use as files: whether the folder can be graded by, and which versions it states.

What its rows must say to each other (bands that tile the line, weights that sum to 1) is for the data tests on them,
which ``policy_rules`` runs on a folder.
"""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from orchestration.errors import PlainError
from orchestration.extract.contract import read_yaml
from orchestration.plan import PolicyVersion
from orchestration.release.catalogue import MANIFEST, read_release
from orchestration.release.publications import releases
from orchestration.settings import POLICY_SEEDS, Settings

VERSIONS = "policy_versions.csv"


class PolicyError(PlainError):
    """The policy folder is not what customers could be graded by."""


class Row(NamedTuple):
    line: int
    values: list[str]


def check_policy(settings: Settings) -> list[PolicyVersion]:
    """The versions of the policy in use. Raises PolicyError, with the mend, for a folder that cannot be graded by.

    Every version that a release was decided under must still be stated, row for row: without it that release could not
    be explained, and another policy would take over unseen where a folder went missing. Raises LogError where the log
    of publications cannot be read.
    """
    versions = check_folder(settings.policy)
    _check_released(settings, versions)
    return versions


def check_folder(folder: Path) -> list[PolicyVersion]:
    """The versions that a policy folder states. Raises PolicyError unless every table is there, with its columns and
    values of their types, and nothing else."""
    tables = column_types()
    _check_files(folder, [f"{table}.csv" for table in tables])
    with duckdb.connect() as connection:
        for table, types in tables.items():
            _check_table(connection, folder / f"{table}.csv", types)
    return read_policies(folder)


def read_policies(folder: Path) -> list[PolicyVersion]:
    """The versions that a policy folder states. Raises PolicyError for a date or an instant that is none."""
    file = folder / VERSIONS
    return [_version(file, line, row) for line, row in read_rows(file)]


def policy_sha256(folder: Path, policy_version: str) -> str:
    """The sha256 of all rows of one version, whatever their order in the files and whatever other versions there are.

    Without ``effective_to``, the one cell of a released version that may change: where the next one takes over.
    """
    rows = []
    for file in sorted(folder.glob("*.csv")):
        for _, row in policy_rows(file, policy_version):
            row.pop("effective_to", None)
            rows.append(json.dumps([file.stem, row], ensure_ascii=False, sort_keys=True))
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def policy_rows(file: Path, policy_version: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of one version in a policy file, each with its line. Raises PolicyError for a file that is none."""
    return [(line, row) for line, row in read_rows(file) if row["policy_version"] == policy_version]


def read_rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """All rows of a policy file, each with its line. Raises PolicyError for a file that is none."""
    header, *rows = _rows(file)
    return [(row.line, dict(zip(header.values, row.values, strict=True))) for row in rows]


def column_types() -> dict[str, dict[str, str]]:
    """Table → column → type, in the order of the files: what dbt loads the rows as."""
    document = read_yaml(POLICY_SEEDS / "_policy.yml")
    return {seed["name"]: seed["config"]["column_types"] for seed in document["seeds"]}


def _check_files(folder: Path, expected: list[str]) -> None:
    if not folder.is_dir():
        raise PolicyError(f"policy: {folder} is no folder, expected one that holds {', '.join(expected)}")
    found = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    if missing := [file for file in expected if file not in found]:
        raise PolicyError(
            f"policy: {folder} has no {', '.join(missing)}, expected all of {', '.join(expected)}: it replaces the "
            f"shipped policy as a whole; begin with a copy of {POLICY_SEEDS}"
        )
    # A copy of the shipped folder is a policy folder: its notes come along and are not read.
    if unknown := sorted(found - {path.name for path in POLICY_SEEDS.iterdir()}):
        raise PolicyError(
            f"policy: {folder} holds {', '.join(unknown)}, expected no file but {', '.join(expected)}: nothing would "
            "read it; rename it or take it out"
        )


def _check_table(connection: duckdb.DuckDBPyConnection, file: Path, types: dict[str, str]) -> None:
    header, *rows = _rows(file) or [Row(1, [])]
    if header.values != list(types):
        raise PolicyError(f"policy: {file} has the columns {','.join(header.values)}, expected {','.join(types)}")
    for row in rows:
        if len(row.values) != len(types):
            raise PolicyError(
                f"policy: {file} line {row.line} has {len(row.values)} values, expected {len(types)}: put a text with "
                "a comma in double quotes"
            )
    for position, (column, kind) in enumerate(types.items()):
        if kind == "varchar":
            continue
        query = f"""
            select value from (select unnest(cast(? as varchar[])) as value)
            where value <> '' and try_cast(value as {kind}) is null
        """
        if bad := connection.execute(query, [[row.values[position] for row in rows]]).fetchone():
            line = next(row.line for row in rows if row.values[position] == bad[0])
            raise PolicyError(f"policy: {file} line {line}: {column} is {bad[0]!r}, expected {kind}")


def _rows(file: Path) -> list[Row]:
    """Header and rows, empty lines left out. Spreadsheets put a byte order mark first; dbt skips it, too."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            return [Row(reader.line_num, values) for values in reader if values]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PolicyError(
            f"policy: {file} cannot be read ({error}), expected comma separated values in UTF-8"
        ) from error


def _version(file: Path, line: int, row: dict[str, str]) -> PolicyVersion:
    try:
        version = PolicyVersion(
            policy_version=row["policy_version"],
            effective_from=date.fromisoformat(row["effective_from"]),
            effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
            approved_at=datetime.fromisoformat(row["approved_at"]),
        )
    except ValueError as error:
        raise PolicyError(f"policy: {file} line {line}: {error}, expected ISO 8601, like 2025-01-31") from error
    if version.approved_at.tzinfo is None:
        raise PolicyError(
            f"policy: {file} line {line}: approved_at is {row['approved_at']!r}, expected an instant with its zone, "
            "like 2024-12-20T02:00:00Z"
        )
    return version


def _check_released(settings: Settings, versions: list[PolicyVersion]) -> None:
    """Each released version against the first release that was decided under it."""
    first = {release.policy_version: release.release_id for release in reversed(releases(settings))}
    stated = [version.policy_version for version in versions]
    for version, release_id in sorted(first.items()):
        if version not in stated:
            raise PolicyError(
                f"policy: {settings.policy / VERSIONS} states {', '.join(stated)}, expected {version} among them, "
                f"which {release_id} was decided under; bring its rows back, with effective_to where another takes over"
            )
        folder = settings.releases / release_id
        if not (folder / MANIFEST).exists():  # that it is gone is `audit verify`'s to tell
            continue
        if policy_sha256(settings.policy, version) != read_release(folder)["policy_sha256"]:
            raise PolicyError(
                f"policy: {settings.policy} states other rows of version {version} than {release_id} was decided "
                "under, expected every one as it was: bring them back, and state what is to change as a version of its "
                "own (`tiering policy new`)"
            )
