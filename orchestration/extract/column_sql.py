"""One canonical column in SQL: the text it comes from, and its value in the contract's type, null where it is none."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from decimal import Decimal

from orchestration.extract.column_map import EPOCHS, MINOR_UNIT_DIGITS, ColumnMap, Formula
from orchestration.extract.contract import SQL_TYPES, Column, Table
from orchestration.extract.dialect import NUMBER_KINDS, Dialect
from orchestration.extract.readers import identifier, quoted
from orchestration.extract.registry import Feed

OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}

OPERAND = "decimal(19,8)"  # what a formula calculates with: the product of two is exact in 38 digits
HAS_OFFSET = "regexp_matches(cast({} as varchar), ':[0-9.]+ *(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')"


def text_of(spec: ColumnMap) -> str:
    """The source value before typing as text, empty text as null; of a formula too where an operand it needs is."""
    if spec.constant is not None:
        return quoted(spec.constant)
    if spec.formula is not None:
        needed = [_text(operand.column) for operand in spec.formula.operands.values() if not operand.or_zero]
        empty = " or ".join(f"{text} is null" for text in needed) or "false"
        shown = ", ".join(_text(name) for name in spec.sources)
        return f"case when {empty} then null else nullif(concat_ws(' | ', {shown}), '') end"
    texts = ", ".join(_text(name) for name in spec.columns)
    if spec.separator is not None:
        return f"nullif(concat_ws({quoted(spec.separator)}, {texts}), '')"
    return f"coalesce({texts})" if len(spec.columns) > 1 else texts


def _text(column: str) -> str:
    return f"nullif(trim(cast({identifier(column)} as varchar)), '')"


def original(spec: ColumnMap | None, column: Column, table: Table) -> str:
    """The source value before typing; as it stands where its own type serves. A key is joined of whole parts only."""
    if spec is None:
        return "cast(null as varchar)"
    if spec.separator is not None and column.name in table.key:
        parts = " or ".join(f"{_text(name)} is null" for name in spec.columns)
        return f"case when {parts} then null else {text_of(spec)} end"
    if spec.column is None or column.kind in ("text", "currency") or spec.values or spec.formats:
        return text_of(spec)
    return identifier(spec.column)


def typed(spec: ColumnMap | None, kind: str, original: str, feed: Feed) -> str:
    """The value in the contract's type: null where the source is empty, and where its text is none of the type."""
    sql_type = SQL_TYPES[kind]
    if spec is None:
        return f"cast(null as {sql_type})"
    is_number = kind in NUMBER_KINDS and spec.constant is None and spec.formula is None
    value = feed.dialect.number_sql(original) if is_number else original
    value = _translated(spec, original, value)
    if kind == "text":
        return value
    if kind == "currency":
        return f"upper({value})"
    if spec.is_local_date:
        return f"cast({_local_time(spec, value, feed.timezone)} as date)"
    if kind == "timestamp":
        return _instant(spec, value)
    if spec.formats:
        value = _written(spec, value)
    number = _calculated(spec.formula, feed.dialect) if spec.formula is not None else value
    if spec.minor_units is not None:
        number = f"try_cast({number} as {OPERAND}) * {_unit(spec.minor_units)}"
    sql = f"try_cast({number} as {sql_type})"
    return f"-({sql})" if spec.negate else sql


def _translated(spec: ColumnMap, original: str, value: str) -> str:
    """The contract's word for the file's, else the value."""
    if not spec.values:
        return value
    cases = " ".join(f"when {quoted(key)} then {quoted(target)}" for key, target in spec.values)
    return f"case {original} {cases} else {value} end"


def _calculated(formula: Formula, dialect: Dialect) -> str:
    """The formula over exact decimals; null where an operand is no number or the result has no room."""
    operands = {}
    for name, operand in formula.operands.items():
        text = _text(operand.column)
        number = f"try_cast({dialect.number_sql(text)} as {OPERAND})"
        operands[name] = f"case when {text} is null then 0 else {number} end" if operand.or_zero else number
    return f"try({_rendered(formula.tree, operands)})"


def _rendered(node: ast.expr, operands: Mapping[str, str]) -> str:
    if isinstance(node, ast.BinOp):
        left, right = _rendered(node.left, operands), _rendered(node.right, operands)
        return f"({left} {OPERATORS[type(node.op)]} {right})"
    if isinstance(node, ast.UnaryOp):
        return f"(-{_rendered(node.operand, operands)})"
    return operands[node.id] if isinstance(node, ast.Name) else ast.unparse(node)


def _unit(currency: ColumnMap) -> str:
    """How much of the currency its smallest unit is; null where no currency is said."""
    code = f"upper({_translated(currency, text_of(currency), text_of(currency))})"
    cases = [
        f"when {code} in ({', '.join(quoted(name) for name in names)}) then {Decimal(1).scaleb(-digits)}"
        for digits, names in MINOR_UNIT_DIGITS.items()
    ]
    return f"case when {code} is null then null {' '.join(cases)} else 0.01 end"


def _written(spec: ColumnMap, value: str) -> str:
    """A date or time as its formats say it, without a zone."""
    if spec.formats[0] in EPOCHS:
        seconds = f"try_cast({value} as bigint)" + (" / 1000.0" if spec.formats[0] == "epoch_ms" else "")
        return f"timezone('UTC', to_timestamp({seconds}))"
    return f"try_strptime({value}, [{', '.join(quoted(form) for form in spec.formats)}])"


def _instant(spec: ColumnMap, value: str) -> str:
    """The instant of a time: by the offset it has, else by the clock of its zone; without a zone in UTC."""
    if spec.formats:
        return f"timezone({quoted(spec.timezone or 'UTC')}, {_written(spec, value)})"
    with_offset = f"try_cast({value} as timestamptz)"
    if spec.timezone in (None, "UTC"):
        return with_offset
    local = f"timezone({quoted(spec.timezone)}, try_cast({value} as timestamp))"
    return f"case when {HAS_OFFSET.format(value)} then {with_offset} else {local} end"


def _local_time(spec: ColumnMap, value: str, zone: str) -> str:
    """The time on the clock of the system's zone; without a timezone in the map, it is on that clock already."""
    if spec.timezone is not None:
        return f"timezone({quoted(zone)}, {_instant(spec, value)})"
    return _written(spec, value) if spec.formats else f"try_cast({value} as timestamp)"
