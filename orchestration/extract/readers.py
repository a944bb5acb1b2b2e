"""How one delivered file becomes rows: CSV and JSON lines in any encoding, Parquet, XLSX. Nothing is typed or judged.

Every reader yields an SQL relation whose first column is ``source_line``, the record's number in the file from 1.
"""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

import duckdb

from orchestration.extract.compression import check_workbook, unpacked
from orchestration.extract.counting import HeldFile, distinct, lines_of
from orchestration.extract.dialect import Dialect
from orchestration.extract.json_lines import flat_record
from orchestration.extract.physical import Physical, look_into
from orchestration.extract.registry import Feed
from orchestration.settings import Settings

CHUNK = 1 << 20
PARALLEL_BYTES = 1 << 23  # of a smaller CSV DuckDB gives all to one thread
FLOATS = ("FLOAT", "DOUBLE")
STANDARD = Dialect()


@dataclass(frozen=True)
class SourceRows:
    """A file's records as an SQL table expression with ``source_line`` first, and the names of its own columns.

    ``broken`` is a relation of the records of a text that cannot be told apart into columns, with ``source_line`` and
    ``raw_text``; None without any. ``physical`` is what another reader counts in the whole file.
    """

    relation: str
    columns: tuple[str, ...]
    physical: Physical
    broken: str | None = None


def source_rows(
    connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed, copies: Path, settings: Settings
) -> SourceRows:
    """How to read the file's records in SQL, through copies in the folder ``copies`` where DuckDB cannot read it as it
    is: packed, not UTF-8, JSON, with broken records.

    Raises HeldFile with what, got and expected.
    """
    copies.mkdir(parents=True, exist_ok=True)
    file = unpacked(file, copies / f"unpacked.{feed.format}", settings)
    if feed.format in ("csv", "jsonl"):
        text = _as_utf8(file, feed.dialect.encoding, copies / "text")
        return _csv_rows(connection, text, feed, copies) if feed.format == "csv" else _json_rows(text, feed, copies)
    if feed.format == "xlsx":
        check_workbook(file, settings)
    physical = look_into(file, feed)
    reader = f"read_{feed.format}({quoted(file)}{', header = true, all_varchar = true' * (feed.format == 'xlsx')})"
    kinds = _described(connection, feed, reader)
    # A binary fraction is the shortest text that means it, as another reader writes it: a cast would round otherwise.
    texts = {name: f"cast({identifier(name)} as varchar)" for name in kinds if kinds[name] in FLOATS}
    exact = [f"{STANDARD.number_sql(text)} as {identifier(name)}" for name, text in texts.items()]
    replaced = f" replace ({', '.join(exact)})" if exact else ""
    relation = _numbered(connection, f"(select *{replaced} from {reader})", tuple(kinds), file, feed)
    return SourceRows(relation, tuple(kinds), physical)


def _numbered(
    connection: duckdb.DuckDBPyConnection, reader: str, columns: Sequence[str], file: Path, feed: Feed
) -> str:
    """The reader's rows with their number in the file. Counting them in a query keeps all of it on one thread, so what
    the map reads of a large file is put into the table ``texts`` first: its row ids are in the file's order.
    """
    if file.stat().st_size < PARALLEL_BYTES or not feed.sources <= set(columns):  # then the file is held
        return f"(select row_number() over () as source_line, * from {reader})"
    places = {name: f"text_{place}" for place, name in enumerate(columns) if name in feed.sources}
    texts = ", ".join(f"{identifier(name)} as {place}" for name, place in places.items())
    connection.execute(f"create or replace temp table texts as select {texts or 'null as text'} from {reader}")
    named = "".join(f", {place} as {identifier(name)}" for name, place in places.items())
    return f"(select rowid + 1 as source_line{named} from texts)"


def _csv_rows(connection: duckdb.DuckDBPyConnection, text: Path, feed: Feed, copies: Path) -> SourceRows:
    columns = _csv_header(text, feed.dialect)
    if _mixes_line_ends(text):
        physical = look_into(text, feed)
    else:
        relation, physical = _numbered_and_counted(connection, columns, text, feed)
        if not physical.broken:
            return SourceRows(relation, columns, physical)
    with text.open(encoding="utf-8-sig", newline="") as source:
        records = feed.dialect.records(lines_of(source))
        next(records)
        fitting = (r if len(r) == len(columns) else feed.dialect.delimiter.join(r) for r in records)
        try:
            relation, broken = _copied(copies, columns, fitting, physical, feed)
        except csv.Error as error:
            raise HeldFile(f"a quote is not closed or not doubled: {error}") from error
    return SourceRows(relation, columns, physical, broken)


def _numbered_and_counted(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], text: Path, feed: Feed
) -> tuple[str, Physical]:
    """The rows of a CSV with their number, of no use where it has broken records, and what another reader counts in it:
    beside DuckDB where that takes long."""
    reader = _read_csv(text, columns, feed.dialect)
    if text.stat().st_size < PARALLEL_BYTES:
        return _numbered(connection, reader, columns, text, feed), look_into(text, feed)
    with ThreadPoolExecutor(1) as beside:
        counting = beside.submit(look_into, text, feed)
        try:
            return _numbered(connection, reader, columns, text, feed), counting.result()
        except duckdb.Error:
            if not counting.result().broken:
                raise
            return "", counting.result()


def _json_rows(text: Path, feed: Feed, copies: Path) -> SourceRows:
    """The values that the map reads; a name that no record has is empty in each, as senders leave out what is null."""
    needed = distinct(sorted(feed.sources))
    physical = look_into(text, feed)
    seen = dict.fromkeys(needed)

    def records(source: TextIO) -> Iterator[list[str | None] | str]:
        for line in lines_of(source):
            record = flat_record(line)
            if record is not None:
                seen.update(dict.fromkeys(record))
                yield [record.get(name) for name in needed]
            elif line.strip():
                yield line.strip()

    with text.open(encoding="utf-8-sig", newline="\n") as source:
        relation, broken = _copied(copies, needed, records(source), physical, feed)
    return SourceRows(relation, tuple(seen), physical, broken)


def _copied(
    copies: Path, columns: Sequence[str], records: Iterable[Sequence[str | None] | str], physical: Physical, feed: Feed
) -> tuple[str, str | None]:
    """Write the sound records in the standard dialect with their number in the file before them, and the texts of the
    broken ones: relations of both."""
    if not feed.tolerance.bears(physical.broken, physical.records):
        raise HeldFile(
            f"{physical.broken} of {physical.records} records are broken: they have not a value for each column; see "
            "delimiter, quote and encoding in sources.yml or ask for the file again"
        )
    sound, broken = copies / "sound.csv", copies / "broken.csv"
    with (
        sound.open("w", encoding="utf-8", newline="") as sound_text,
        broken.open("w", encoding="utf-8", newline="") as broken_text,
    ):
        sound_rows, broken_rows = csv.writer(sound_text), csv.writer(broken_text)
        sound_rows.writerow(["source_line", *columns])
        broken_rows.writerow(["source_line", "raw_text"])
        for number, record in enumerate(records, start=1):
            if isinstance(record, str):
                broken_rows.writerow([number, record])
            else:
                sound_rows.writerow([number, *record])
    numbered = [
        f"(select * replace (cast(source_line as bigint) as source_line) from {_read_csv(file, names, STANDARD)})"
        for file, names in ((sound, ("source_line", *columns)), (broken, ("source_line", "raw_text")))
    ]
    return numbered[0], numbered[1] if physical.broken else None


def _read_csv(file: Path, columns: Sequence[str], dialect: Dialect) -> str:
    types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
    return f"""read_csv({quoted(file)}, auto_detect = false, header = true, columns = {{{types}}},
        delim = {quoted(dialect.delimiter)}, quote = {quoted(dialect.quote)}, escape = {quoted(dialect.quote)})"""


def _mixes_line_ends(text: Path) -> bool:
    """Whether lines end in more than one way, be it within quotes: DuckDB reads one way only."""
    feeds = returns = both = 0
    last = b""
    with text.open("rb") as stream:
        if not any(b"\r" in chunk for chunk in iter(partial(stream.read, CHUNK), b"")):
            return False  # as most do: counting costs ten times as much
        stream.seek(0)
        while chunk := stream.read(CHUNK):
            feeds, returns = feeds + chunk.count(b"\n"), returns + chunk.count(b"\r")
            both += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            last = chunk[-1:]
    return feeds > 0 and returns > 0 and not feeds == returns == both


def _described(connection: duckdb.DuckDBPyConnection, feed: Feed, reader: str) -> dict[str, str]:
    try:
        return {row[0]: row[1] for row in connection.execute(f"describe select * from {reader}").fetchall()}
    except duckdb.Error as error:
        raise HeldFile(f"cannot be read as {feed.format}: {told(error)}") from error


def _csv_header(file: Path, dialect: Dialect) -> tuple[str, ...]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        try:
            return distinct(next(dialect.records(lines_of(stream))))
        except (StopIteration, UnicodeDecodeError, csv.Error) as error:
            raise HeldFile("no header line in UTF-8 found, expected column names") from error


def told(error: duckdb.Error) -> str:
    """DuckDB's complaint in one line without the record it quotes, which may hold personal values."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join([line for line in lines if line and not line.startswith(("Original Line", "LINE "))][:2])


def quoted(value: object) -> str:
    """The value as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _as_utf8(file: Path, encoding: str, copy: Path) -> Path:
    """The file itself when it is UTF-8, else a copy in UTF-8: DuckDB's own decoders fail on valid GB18030 files."""
    is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    with (
        file.open("rb") as source,
        open(os.devnull if is_utf8 else copy, "w", encoding="utf-8", newline="") as target,
    ):
        while True:
            chunk, pending = source.read(CHUNK), len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeError as error:
                place = position - pending + error.start if isinstance(error, UnicodeDecodeError) else position
                raise HeldFile(
                    f"byte {place} is not {encoding}; expected the encoding that sources.yml names"
                ) from error
            if not is_utf8:
                target.write(text)
            if not chunk:
                return file if is_utf8 else copy
            position += len(chunk)
