"""How one delivered file becomes rows: CSV in any encoding, Parquet, XLSX. Nothing is typed or judged here.

Every reader yields an SQL relation whose first column is ``source_line``, the record's number in the file from 1.
"""

from __future__ import annotations

import codecs
import csv
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.extract.physical import HeldFile, Physical, look_into
from orchestration.extract.registry import Feed

CHUNK_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class SourceRows:
    """A file's records as an SQL table expression with ``source_line`` first, and the names of its own columns.

    ``broken`` holds the records of a CSV that do not have a value for each column, as (source_line, text);
    ``physical`` is what another reader counts in the whole file.
    """

    relation: str
    columns: tuple[str, ...]
    physical: Physical
    broken: tuple[tuple[int, str], ...] = ()


def source_rows(connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed, copy: Path) -> SourceRows:
    """How to read the file's records in SQL, through ``copy`` where a text is not UTF-8 or has broken records.

    Raises HeldFile with what, got and expected.
    """
    if feed.format == "csv":
        return _csv_rows(_as_utf8(file, feed.encoding, copy), feed, copy)
    options = ", header = true, all_varchar = true" if feed.format == "xlsx" else ""
    reader = f"read_{feed.format}({quoted(file)}{options})"
    columns = _described(connection, file, feed, reader)
    relation = f"(select row_number() over () as source_line, * from {reader})"
    return SourceRows(relation, columns, look_into(file, feed))


def _csv_rows(text: Path, feed: Feed, copy: Path) -> SourceRows:
    columns = _csv_header(text)
    physical = look_into(text, feed)
    if not physical.broken:
        relation = f"(select row_number() over () as source_line, * from {_read_csv(text, columns)})"
        return SourceRows(relation, columns, physical)
    whole = copy.with_suffix(".whole")
    try:
        broken = _without_broken_records(text, whole, len(columns))
        os.replace(whole, copy)
    except csv.Error as error:
        raise HeldFile(f"a quote is not closed or not doubled: {error}") from error
    finally:
        whole.unlink(missing_ok=True)
    reader = _read_csv(copy, ("source_line", *columns))
    numbered = f"(select * replace (cast(source_line as bigint) as source_line) from {reader})"
    return SourceRows(numbered, columns, physical, broken)


def _read_csv(file: Path, columns: tuple[str, ...]) -> str:
    types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
    return f"""read_csv({quoted(file)}, auto_detect = false, header = true, columns = {{{types}}},
        delim = ',', quote = '"', escape = '"')"""


def _without_broken_records(text: Path, whole: Path, width: int) -> tuple[tuple[int, str], ...]:
    """Write the sound records with their number in the file before them; give back the others."""
    broken = []
    with text.open(encoding="utf-8-sig", newline="") as source, whole.open("w", encoding="utf-8", newline="") as target:
        records = (record for record in csv.reader(source, strict=True) if record)
        writer = csv.writer(target)
        writer.writerow(["source_line", *next(records)])
        for number, record in enumerate(records, start=1):
            if len(record) == width:
                writer.writerow([number, *record])
            else:
                broken.append((number, ",".join(record)))
    return tuple(broken)


def _described(connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed, reader: str) -> tuple[str, ...]:
    try:
        return tuple(row[0] for row in connection.execute(f"describe select * from {reader}").fetchall())
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise HeldFile(f"cannot be read as {feed.format}: {first_line}") from error


def _csv_header(file: Path) -> tuple[str, ...]:
    """The column names. The dialect is stated and never guessed, so that a file reads the same whatever its rows."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        try:
            names = tuple(next(csv.reader(stream)))
        except (StopIteration, UnicodeDecodeError, csv.Error) as error:
            raise HeldFile("no header line in UTF-8 found, expected column names") from error
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise HeldFile(f"header names {repeated} more than once, expected each column once")
    return names


def told(error: duckdb.Error) -> str:
    """DuckDB's complaint in one line without the record it quotes, which may hold personal values."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "Original Line" not in line]
    return " ".join(lines[:2])


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
        raise HeldFile(f"byte {error.start} is not {encoding}; expected the encoding that sources.yml names") from error
    return copy
