"""The control amount of each record where a map makes it of more than one column, in Python's decimals.

Landing computes it in SQL; this computes it again for the independent count of ``physical.py``. Both round a column to
eight digits before they calculate, and the result half away from zero to four, as the contract's type does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

import pyarrow as pa

from orchestration.extract.column_map import MINOR_UNIT_DIGITS, ColumnMap, Formula
from orchestration.extract.dialect import Dialect

TEN_THOUSANDTH, OPERAND, ROOM = Decimal("0.0001"), Decimal("0.00000001"), Decimal(10) ** 11
EXACT = Context(prec=120)

Row = Mapping[str, str | None]


def amounts_by_currency(
    columns: pa.RecordBatch, amount: ColumnMap, currency: ColumnMap | None, dialect: Dialect
) -> Iterator[tuple[str | None, Decimal]]:
    """(currency, amount) of each record for which the amount can be computed, before the sign of the map."""
    names = columns.schema.names
    texts = (columns[name].cast(pa.string()).to_pylist() for name in names)
    for values in zip(*texts, strict=True):
        row = {name: (value or "").strip() or None for name, value in zip(names, values, strict=True)}
        if (value := _amount(row, amount, dialect)) is not None:
            yield _code(row, currency) if currency else None, value


def _code(row: Row, spec: ColumnMap) -> str | None:
    return spec.code_of(_first(row, spec))


def _first(row: Row, spec: ColumnMap) -> str | None:
    return next((row[name] for name in spec.columns if row[name]), None)


def _amount(row: Row, spec: ColumnMap, dialect: Dialect) -> Decimal | None:
    if spec.formula is not None:
        value = _calculated(row, spec.formula, dialect)
    else:
        value = _number(_first(row, spec), OPERAND if spec.minor_units else TEN_THOUSANDTH, dialect)
    if value is None:
        return None
    if spec.minor_units is not None:
        code = _code(row, spec.minor_units)
        if code is None:
            return None
        digits = next((digits for digits, names in MINOR_UNIT_DIGITS.items() if code in names), 2)
        value = value.scaleb(-digits, EXACT)
    return value.quantize(TEN_THOUSANDTH, ROUND_HALF_UP, EXACT)


def _number(text: str | None, unit: Decimal, dialect: Dialect) -> Decimal | None:
    if text is None or not re.match(dialect.number, text):
        return None
    plain = text.replace(dialect.thousands, "") if dialect.thousands else text
    value = Decimal(plain.replace(dialect.decimal, ".")).quantize(unit, ROUND_HALF_UP, EXACT)
    return value if unit != OPERAND or abs(value) < ROOM else None


def _calculated(row: Row, formula: Formula, dialect: Dialect) -> Decimal | None:
    numbers = {}
    for name, operand in formula.operands.items():
        text = row[operand.column]
        number = Decimal() if text is None and operand.or_zero else _number(text, OPERAND, dialect)
        if number is None:
            return None
        numbers[name] = number
    return _evaluated(formula.tree, numbers)


def _evaluated(node: ast.expr, numbers: Mapping[str, Decimal]) -> Decimal:
    if isinstance(node, ast.BinOp):
        left, right = _evaluated(node.left, numbers), _evaluated(node.right, numbers)
        if isinstance(node.op, ast.Mult):
            return EXACT.multiply(left, right)
        return EXACT.add(left, right) if isinstance(node.op, ast.Add) else EXACT.subtract(left, right)
    if isinstance(node, ast.UnaryOp):
        return -_evaluated(node.operand, numbers)
    return numbers[node.id] if isinstance(node, ast.Name) else Decimal(ast.unparse(node))
