"""What is physically in a delivered file: records, broken lines and the control amount, counted by another reader.

Landing reads with DuckDB; this reads with pyarrow, with the standard library's JSON and, for workbooks, with calamine.
Conservation compares the two: a record that one of them does not see cannot go missing unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from python_calamine import CalamineError

from orchestration.extract.amounts import amounts_by_currency
from orchestration.extract.column_map import ColumnMap
from orchestration.extract.counting import BATCHES, BLOCK_BYTES, HeldFile
from orchestration.extract.dialect import PLAIN_NUMBER, Dialect
from orchestration.extract.registry import Feed

TEN_THOUSANDTH = Decimal("0.0001")
TOO_LARGE = 10**14  # for the decimal(18, 4) of the contract's money
# Most amounts need no rounding and fit; of the others Arrow itself takes most for a decimal with room for every digit.
EXACT_NUMBER = r"^[-+]?\d{1,14}(?:\.\d{1,4})?$"
SIMPLE_NUMBER = r"^[-+]?(?:\d{1,14}(?:\.\d{0,20})?|\.\d{1,20})$"
SPACES = " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


@dataclass(frozen=True)
class Physical:
    """``amounts``: the control amount per currency of the records where it can be read as a number.

    ``broken`` counts records of a CSV with another number of fields than its header, and lines of JSON that are no
    object; they are among ``records``.
    """

    records: int
    broken: int
    amounts: dict[str | None, Decimal]


def look_into(file: Path, feed: Feed) -> Physical:
    """Count a CSV or JSON lines file (in UTF-8), Parquet or XLSX. Raises HeldFile where it is not one."""
    try:
        return _counted(file, feed)
    except (pa.ArrowException, OSError, CalamineError) as error:
        told = (str(error) or "it is empty").splitlines()[0]
        if "straddling" in told:
            told = f"a record is longer than {BLOCK_BYTES} bytes, or a quote is not closed"
        raise HeldFile(f"cannot be read as {feed.format}: {told}") from error


def _counted(file: Path, feed: Feed) -> Physical:
    table = feed.table
    amount, currency = feed.columns.get(table.control_amount or ""), feed.columns.get(table.control_currency or "")
    wanted = sorted({name for spec in (amount, currency) if spec is not None for name in spec.sources})
    count = BATCHES[feed.format](file, feed.dialect)
    sums: dict[str | None, Decimal] = {}
    for columns in count.batches(wanted):
        if amount is None or not amount.sources or not set(wanted) <= set(columns.schema.names):
            continue  # landing tells which columns are missing
        is_plain = amount.column and amount.minor_units is None and (currency is None or len(currency.columns) < 2)
        for name, value in (_sums if is_plain else amounts_by_currency)(columns, amount, currency, feed.dialect):
            sums[name] = sums.get(name, Decimal()) + (-value if amount.negate else value)
    return Physical(count.records, count.broken, sums)


def _sums(
    columns: pa.RecordBatch, amount: ColumnMap, currency: ColumnMap | None, dialect: Dialect
) -> Iterator[tuple[str | None, Decimal]]:
    """Sums by currency, each amount rounded half away from zero to four digits as the contract's type does."""
    for code, value in _sums_by_code(columns, amount, currency, dialect):
        yield currency.code_of((code or "").strip(SPACES)) if currency else None, value


def _sums_by_code(
    columns: pa.RecordBatch, amount: ColumnMap, currency: ColumnMap | None, dialect: Dialect
) -> Iterator[tuple[str | None, Decimal]]:
    amounts = columns[amount.column]
    codes = pa.nulls(len(amounts), pa.string())
    if currency is not None and currency.column:
        codes = columns[currency.column].cast(pa.string())
    if pa.types.is_decimal(amounts.type) or pa.types.is_integer(amounts.type):
        yield from _grouped(codes, amounts if pa.types.is_decimal(amounts.type) else amounts.cast(pa.decimal128(38, 4)))
        return
    texts = _plain(pc.ascii_trim_whitespace(amounts.cast(pa.string())), dialect)
    is_exact = pc.fill_null(pc.match_substring_regex(texts, EXACT_NUMBER), False)
    yield from _summed(codes.filter(is_exact), texts.filter(is_exact).cast(pa.decimal128(18, 4)))
    codes, texts = codes.filter(pc.invert(is_exact)), texts.filter(pc.invert(is_exact))
    is_simple = pc.fill_null(pc.match_substring_regex(texts, SIMPLE_NUMBER), False)
    yield from _grouped(codes.filter(is_simple), texts.filter(is_simple).cast(pa.decimal128(38, 20)))
    if pc.all(is_simple).as_py() is not False:
        return
    is_odd = pc.and_(
        pc.invert(is_simple), pc.fill_null(pc.match_substring_regex(texts, f"^(?:{PLAIN_NUMBER})$"), False)
    )
    for code, text in zip(codes.filter(is_odd).to_pylist(), texts.filter(is_odd).to_pylist(), strict=True):
        number = Decimal(text)
        if abs(number) < TOO_LARGE and abs(rounded := number.quantize(TEN_THOUSANDTH, ROUND_HALF_UP)) < TOO_LARGE:
            yield code, rounded


def _plain(texts: pa.Array, dialect: Dialect) -> pa.Array:
    """Numbers with a decimal point and without groups; null where a text is no number in the dialect."""
    if dialect.decimal == "." and not dialect.thousands:
        return texts
    is_number = pc.match_substring_regex(texts, dialect.number)
    plain = pc.replace_substring(texts, dialect.thousands, "") if dialect.thousands else texts
    plain = pc.replace_substring(plain, ",", ".") if dialect.decimal == "," else plain
    return pc.if_else(is_number, plain, None)


def _grouped(codes: pa.Array, exact: pa.Array) -> Iterator[tuple[str | None, Decimal]]:
    rounded = pc.round(exact, 4, "half_towards_infinity").cast(pa.decimal128(38, 4))
    fits = pc.fill_null(pc.less(pc.abs(rounded), pa.scalar(Decimal(TOO_LARGE), pa.decimal128(38, 4))), False)
    yield from _summed(codes.filter(fits), rounded.filter(fits))


def _summed(codes: pa.Array, amounts: pa.Array) -> Iterator[tuple[str | None, Decimal]]:
    table = pa.table({"code": codes, "amount": amounts})
    grouped = table.group_by("code").aggregate([("amount", "sum")])
    yield from zip(grouped["code"].to_pylist(), grouped["amount_sum"].to_pylist(), strict=True)
