"""What is physically in a delivered file: records, broken lines and the control amount, counted by another reader.

Landing reads with DuckDB; this reads with pyarrow and, for workbooks, with calamine. Conservation compares
the two: a record that one of them does not see cannot go missing unseen.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from python_calamine import CalamineError, CalamineWorkbook

from orchestration.extract.amounts import amounts_by_currency
from orchestration.extract.column_map import ColumnMap
from orchestration.extract.registry import Feed

TEN_THOUSANDTH = Decimal("0.0001")
NUMBER = r"^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$"


class HeldFile(ValueError):
    """The file cannot be taken as it is; the message says what is wrong with it and what was expected."""


@dataclass(frozen=True)
class Physical:
    """``amounts``: the control amount per currency of the records where it can be read as a number.

    ``broken`` counts records of a CSV with another number of fields than its header; they are among ``records``.
    """

    records: int
    broken: int
    amounts: dict[str | None, Decimal]


def look_into(file: Path, feed: Feed) -> Physical:
    """Count a CSV (in UTF-8), Parquet or XLSX file. Raises HeldFile where it is not one."""
    try:
        return _counted(file, feed)
    except (pa.ArrowException, OSError, CalamineError, StopIteration) as error:
        raise HeldFile(f"cannot be read as {feed.format}: {(str(error) or 'it is empty').splitlines()[0]}") from error


def _counted(file: Path, feed: Feed) -> Physical:
    table = feed.table
    amount, currency = feed.columns.get(table.control_amount or ""), feed.columns.get(table.control_currency or "")
    wanted = sorted({name for spec in (amount, currency) if spec is not None for name in spec.sources})
    broken = 0
    if feed.format == "csv":
        records, broken, columns = _csv(file, wanted)
    elif feed.format == "parquet":
        opened = pyarrow.parquet.ParquetFile(file)
        records = opened.metadata.num_rows
        columns = opened.read(columns=wanted) if wanted else None  # leaves out what the file does not have
    else:
        records, columns = _xlsx(file, wanted)
    if amount is None or not amount.sources or columns is None or not set(wanted) <= set(columns.column_names):
        return Physical(records, broken, {})
    if amount.column is None or amount.minor_units is not None or (currency and len(currency.columns) > 1):
        return Physical(records, broken, _summed(amounts_by_currency(columns, amount, currency)))
    return Physical(records, broken, _sums(columns, amount, currency))


def _csv(file: Path, wanted: list[str]) -> tuple[int, int, pa.Table | None]:
    broken = 0

    def count(row: pyarrow.csv.InvalidRow) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    with file.open(encoding="utf-8-sig", newline="") as stream:
        names = next(csv.reader(stream))
    present = [name for name in wanted if name in names]  # landing tells which columns are missing
    table = pyarrow.csv.read_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=count),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, include_columns=present or names[:1]
        ),
    )
    return table.num_rows + broken, broken, table if wanted else None


def _xlsx(file: Path, wanted: list[str]) -> tuple[int, pa.Table | None]:
    """The first sheet's rows below its header that have any value, and the wanted columns as text."""
    rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).iter_rows()
    header = [str(name) for name in next(rows)]
    present = {name: header.index(name) for name in wanted if name in header}
    values: dict[str, list[str]] = {name: [] for name in present}
    records = 0
    for row in rows:
        if any(value != "" for value in row):
            records += 1
            for name, place in present.items():
                values[name].append(str(row[place]))
    return records, pa.table({name: pa.array(texts) for name, texts in values.items()}) if wanted else None


def _summed(amounts: Iterable[tuple[str | None, Decimal]]) -> dict[str | None, Decimal]:
    sums: dict[str | None, Decimal] = {}
    for code, value in amounts:
        sums[code] = sums.get(code, Decimal()) + value
    return sums


def _sums(columns: pa.Table, amount: ColumnMap, currency: ColumnMap | None) -> dict[str | None, Decimal]:
    """Sums per currency, each amount rounded half away from zero to four digits as the contract's type does."""
    amounts = columns[amount.column]
    codes = columns[currency.column].cast(pa.string()) if currency is not None and currency.column else None
    if pa.types.is_decimal(amounts.type) or pa.types.is_integer(amounts.type):
        exact = pc.round(amounts.cast(pa.decimal128(38, 10)), 4, "half_towards_infinity")
        table = pa.table({"code": codes if codes is not None else pa.nulls(len(exact), pa.string()), "amount": exact})
        grouped = table.group_by("code").aggregate([("amount", "sum")])
        found = zip(grouped["code"].to_pylist(), grouped["amount_sum"].to_pylist(), strict=True)
    else:
        texts = amounts.cast(pa.string())
        is_number = pc.fill_null(pc.match_substring_regex(texts, NUMBER), False)
        rounded = (
            Decimal(text.strip()).quantize(TEN_THOUSANDTH, ROUND_HALF_UP)
            for text in texts.filter(is_number).to_pylist()
        )
        found = zip(codes.filter(is_number).to_pylist() if codes is not None else repeat(None), rounded, strict=False)
    sums: dict[str | None, Decimal] = {}
    for code, value in found:
        if value is not None:
            name = _currency(code, currency)
            sums[name] = sums.get(name, Decimal()) + (-value if amount.negate else value)
    return sums


def _currency(code: str | None, spec: ColumnMap | None) -> str | None:
    if spec is None:
        return None
    if spec.column is None:
        return (spec.constant or "").upper() or None
    trimmed = (code or "").strip()
    return dict(spec.values).get(trimmed, trimmed).upper() or None
