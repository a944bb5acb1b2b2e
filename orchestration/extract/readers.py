"""How one delivered file becomes rows: CSV in any encoding, Parquet, XLSX. Nothing is typed or judged here.

Every reader yields an SQL relation whose first column is ``source_line``, the record's number in the file from 1.
"""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.extract.registry import Feed

CHUNK_CHARACTERS = 1 << 20


class UnreadableExtract(ValueError):
    """The file cannot be read as its source describes it: wrong encoding, not a table, damaged."""


@dataclass(frozen=True)
class SourceRows:
    """A file's records as an SQL table expression, and the names of its columns without ``source_line``."""

    relation: str
    columns: tuple[str, ...]


def source_rows(connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed, utf8_copy: Path) -> SourceRows:
    """How to read the file's records in SQL, through ``utf8_copy`` where a text is not in UTF-8.

    Raises UnreadableExtract with what, got and expected.
    """
    if feed.format == "csv":
        text = _as_utf8(file, feed.encoding, utf8_copy)
        columns = _csv_header(text)
        types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
        reader = f"""read_csv({quoted(text)}, auto_detect = false, header = true, columns = {{{types}}},
            delim = ',', quote = '"', escape = '"')"""
    else:
        options = ", header = true, all_varchar = true" if feed.format == "xlsx" else ""
        reader = f"read_{feed.format}({quoted(file)}{options})"
        columns = _described(connection, file, feed, reader)
    return SourceRows(f"(select row_number() over () as source_line, * from {reader})", columns)


def _described(connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed, reader: str) -> tuple[str, ...]:
    try:
        return tuple(row[0] for row in connection.execute(f"describe select * from {reader}").fetchall())
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise UnreadableExtract(f"{file.name}: cannot be read as {feed.format}: {first_line}") from error


def _csv_header(file: Path) -> tuple[str, ...]:
    """The column names. The dialect is stated and never guessed, so that a file reads the same whatever its rows."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        try:
            names = tuple(next(csv.reader(stream)))
        except (StopIteration, UnicodeDecodeError, csv.Error) as error:
            raise UnreadableExtract(f"{file.name}: no header line in UTF-8 found, expected column names") from error
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UnreadableExtract(f"{file.name}: header names {repeated} more than once, expected each column once")
    return names


def told(file: Path, error: duckdb.Error) -> str:
    """DuckDB's complaint in one line without the record it quotes, which may hold personal values."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "Original Line" not in line]
    return f"{file.name}: {' '.join(lines[:2])}"


def quoted(value: object) -> str:
    """The value as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _as_utf8(file: Path, encoding: str, copy: Path) -> Path:
    """The file itself when it is UTF-8, else a copy in UTF-8: DuckDB's own decoders fail on valid GB18030 files."""
    if codecs.lookup(encoding).name == "utf-8":
        return file
    try:
        with file.open(encoding=encoding, newline="") as source, copy.open("w", encoding="utf-8", newline="") as target:
            while text := source.read(CHUNK_CHARACTERS):
                target.write(text)
    except UnicodeDecodeError as error:
        raise UnreadableExtract(
            f"{file.name}: byte {error.start} is not {encoding}; expected the encoding that sources.yml names"
        ) from error
    return copy
