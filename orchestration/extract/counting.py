"""The records of a delivered file in batches of Arrow, read by other means than DuckDB.

CSV and Parquet by pyarrow, JSON lines by the standard library, workbooks by calamine. What is counted and summed of
them is decided by the callers.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from python_calamine import CalamineWorkbook

from orchestration.extract.dialect import Dialect

# The longest record, in characters: about what DuckDB takes. A file without line ends must not fill the memory.
RECORD_LIMIT = 1 << 21
BLOCK_BYTES = 1 << 23
BATCH_ROWS = 1 << 16

csv.field_size_limit(RECORD_LIMIT)


class HeldFile(ValueError):
    """The file cannot be taken as it is; the message says what is wrong with it and what was expected."""


def lines_of(stream: TextIO) -> Iterator[str]:
    """The lines with their ends. Raises HeldFile where one is longer than any record may be."""
    number = 0
    while line := stream.readline(RECORD_LIMIT):
        number += 1
        if len(line) == RECORD_LIMIT:
            raise HeldFile(f"line {number} is longer than {RECORD_LIMIT} characters, expected one record on a line")
        yield line


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The column names of a file, one without a name called after its place.

    Raises HeldFile where two differ in case only, as SQL would not tell them apart, or one is ``source_line``.
    """
    found = tuple(name or f"column_{place}" for place, name in enumerate(names, start=1))
    lower = [name.lower() for name in found]
    repeated = sorted({name for name in found if lower.count(name.lower()) > 1})
    if repeated:
        raise HeldFile(f"header names {repeated} more than once, expected each column once")
    if "source_line" in lower:
        raise HeldFile("header names source_line, which is landing's own count; expected another name")
    return found


class CsvBatches:
    """Blocks of a CSV; a record of another width than the header's is counted and passed over."""

    def __init__(self, file: Path, dialect: Dialect) -> None:
        self.file, self.dialect = file, dialect
        self.records = self.broken = 0

    def batches(self, wanted: list[str]) -> Iterator[pa.RecordBatch]:
        with self.file.open(encoding="utf-8-sig", newline="") as stream:
            lines = lines_of(stream)
            names = distinct(next(self.dialect.records(lines), ()))
            if not any(line.strip("\r\n") for line in lines):  # pyarrow does not read a header alone
                return
        present = [name for name in wanted if name in names]
        dialect = self.dialect
        reader = pyarrow.csv.open_csv(
            self.file,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows_after_names=1
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=bool(dialect.quote),
                invalid_row_handler=self._pass_over,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, include_columns=present or names[:1]
            ),
        )
        for batch in reader:
            self.records += batch.num_rows
            yield batch
        self.records += self.broken

    def _pass_over(self, row: pyarrow.csv.InvalidRow) -> str:
        self.broken += 1
        return "skip"


class JsonBatches:
    """Batches of lines that are JSON objects, the wanted values as text; other lines are counted."""

    def __init__(self, file: Path, dialect: Dialect) -> None:
        self.file = file
        self.records = self.broken = 0

    def batches(self, wanted: list[str]) -> Iterator[pa.RecordBatch]:
        rows: list[list[str | None]] = []
        with self.file.open(encoding="utf-8-sig", newline="\n") as stream:
            for line in lines_of(stream):
                if not line.strip():
                    continue
                self.records += 1
                try:
                    record = json.loads(
                        line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_unambiguous
                    )
                except (ValueError, RecursionError):
                    record = None
                if isinstance(record, dict):
                    rows.append([_found(record, name) for name in wanted])
                else:
                    self.broken += 1
                if len(rows) == BATCH_ROWS:
                    yield _batch(wanted, rows)
                    rows = []
        yield _batch(wanted, rows)


class ParquetBatches:
    """Batches of a Parquet file."""

    def __init__(self, file: Path, dialect: Dialect) -> None:
        self.file = file
        self.records = self.broken = 0

    def batches(self, wanted: list[str]) -> Iterator[pa.RecordBatch]:
        with pyarrow.parquet.ParquetFile(self.file) as opened:
            distinct(opened.schema_arrow.names)
            self.records = opened.metadata.num_rows
            if wanted:  # leaves out what the file does not have
                yield from opened.iter_batches(BATCH_ROWS, columns=wanted)


class WorkbookBatches:
    """The first sheet's rows below its header that have any value, the wanted columns as text."""

    def __init__(self, file: Path, dialect: Dialect) -> None:
        self.file = file
        self.records = self.broken = 0

    def batches(self, wanted: list[str]) -> Iterator[pa.RecordBatch]:
        rows = CalamineWorkbook.from_path(self.file).get_sheet_by_index(0).iter_rows()
        header = distinct(str(name) for name in next(rows, ()))
        present = [name for name in wanted if name in header]
        places = [header.index(name) for name in present]
        found: list[list[str | None]] = []
        for row in rows:
            if any(value != "" for value in row):
                self.records += 1
                found.append([str(row[place]) for place in places])
        yield _batch(present, found)


BATCHES: dict[str, type[CsvBatches | JsonBatches | ParquetBatches | WorkbookBatches]] = {
    "csv": CsvBatches,
    "jsonl": JsonBatches,
    "parquet": ParquetBatches,
    "xlsx": WorkbookBatches,
}


def _batch(names: list[str], rows: list[list[str | None]]) -> pa.RecordBatch:
    arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))]
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; ValueError where a name stands twice in it or a text has half a character."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    for text in (*found, *found.values()):
        if isinstance(text, str):
            text.encode()
    return found


def _found(record: dict[str, Any], name: str) -> str | None:
    """The text of a value by its name, or by the names of the objects around it joined by points."""
    if name in record:
        return record[name] if isinstance(record[name], str) else None
    outer, _, inner = name.partition(".")
    return _found(record[outer], inner) if inner and isinstance(record.get(outer), dict) else None
