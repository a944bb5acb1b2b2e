"""How one canonical column is made from the columns of an extract: a map's entry as a typed value.

An entry is a column's name, or a mapping with one origin and what to do with it:

    column: name            the column as it is              constant: text     always the same
    first_of: [a, b]        the first that is not empty      join: [a, b]       all of them, `with:` between (a space)
    local_date_of: name     the local day of a time          compute: "{price} * {quantity} - {discount?}"

``values`` translates words, ``formats`` says how a date or time is written (strptime, epoch_s or epoch_ms; else ISO
8601), ``timezone`` whose clock a time without an offset is of (local: the source's own), ``sign: negate`` turns an
amount round, ``minor_units`` names the currency (an entry of its own) whose smallest unit an amount counts, and
``unverified`` says that the entry was written from general knowledge: look before you trust it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.errors import PlainError

ORIGINS = ("column", "constant", "first_of", "join", "local_date_of", "compute")
OPTIONS = ("with", "values", "formats", "timezone", "sign", "minor_units", "unverified")
LOCAL = "local"
EPOCHS = ("epoch_s", "epoch_ms")

# Digits of the smallest unit by ISO 4217, where they are not two.
MINOR_UNIT_DIGITS = {
    0: ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
}

_NAMED = re.compile(r"\{([^{}]+?)(\??)\}")


class SourcesError(PlainError):
    """``sources.yml`` or a map it names does not describe the extracts."""


@dataclass(frozen=True)
class Operand:
    """A source column in a formula; ``or_zero``: an empty one counts as nothing."""

    column: str
    or_zero: bool


@dataclass(frozen=True)
class Formula:
    """Sums and products of columns and numbers. ``tree`` is a parsed expression over the names of ``operands``."""

    text: str
    tree: ast.expr
    operands: Mapping[str, Operand]


@dataclass(frozen=True)
class ColumnMap:
    """How one canonical column is made. Exactly one of ``columns``, ``constant`` and ``formula`` says from what.

    Of several ``columns`` the first that is not empty counts, or all of them, with ``separator`` between.
    """

    columns: tuple[str, ...] = ()
    separator: str | None = None
    constant: str | None = None
    formula: Formula | None = None
    is_local_date: bool = False
    values: tuple[tuple[str, str], ...] = ()
    timezone: str | None = None
    negate: bool = False
    formats: tuple[str, ...] = ()
    minor_units: ColumnMap | None = None
    unverified: bool = False

    @property
    def column(self) -> str | None:
        """The one column that it is read from as it stands; None when it is made in another way."""
        return self.columns[0] if len(self.columns) == 1 else None

    @property
    def sources(self) -> tuple[str, ...]:
        """All columns that it reads."""
        operands = tuple(operand.column for operand in self.formula.operands.values()) if self.formula else ()
        return (*self.columns, *operands, *(self.minor_units.sources if self.minor_units else ()))

    def code_of(self, text: str | None) -> str | None:
        """The currency that a text of the source stands for, None where it says none."""
        said = self.constant or text or ""
        return dict(self.values).get(said, said).upper() or None

    @property
    def described(self) -> str:
        """What it is made from, for a person."""
        if self.constant is not None:
            return f"always {self.constant!r}"
        if self.formula is not None:
            return self.formula.text
        return (", else " if self.separator is None else " + ").join(self.columns)


def column_map(where: str, spec: object, zone: str) -> ColumnMap:
    """The entry as a typed value; ``zone`` is what ``timezone: local`` stands for. Raises SourcesError."""
    if isinstance(spec, str):
        return ColumnMap(columns=(spec,))
    options: dict[str, Any] = spec if isinstance(spec, dict) else {}
    origins = [origin for origin in ORIGINS if origin in options]
    unknown = sorted(set(options) - {*ORIGINS, *OPTIONS})
    if unknown or len(origins) != 1:
        raise SourcesError(
            f"{where}: map is {spec!r}, expected a column's name in quotes or exactly one of {', '.join(ORIGINS)}, "
            f"and beside it only {', '.join(OPTIONS)}"
        )
    if options.get("sign", "keep") not in ("keep", "negate"):
        raise SourcesError(f"{where}: sign is {options['sign']!r}, expected keep or negate")
    origin = options[origins[0]]
    names = origin if isinstance(origin, list) else [origin]
    if origins[0] != "constant" and not all(isinstance(name, str) and name for name in names):
        raise SourcesError(f"{where}: {origins[0]} is {origin!r}, expected a column's name, or a list of names")
    timezone = zone if options.get("timezone") == LOCAL else options.get("timezone")
    units = options.get("minor_units")
    return ColumnMap(
        columns=() if origins[0] in ("constant", "compute") else tuple(names),
        separator=str(options.get("with", " ")) if origins[0] == "join" else None,
        constant=words(origin) if origins[0] == "constant" else None,
        formula=formula(where, origin) if origins[0] == "compute" else None,
        is_local_date=origins[0] == "local_date_of",
        values=tuple((words(key), words(value)) for key, value in options.get("values", {}).items()),
        timezone=known_zone(where, timezone) if timezone is not None else None,
        negate=options.get("sign") == "negate",
        formats=tuple(str(form) for form in options.get("formats", ())),
        minor_units=column_map(f"{where}.minor_units", units, zone) if units is not None else None,
        unverified=bool(options.get("unverified", False)),
    )


def words(value: object) -> str:
    """A value of YAML as an extract writes it: YAML makes truth values of some words."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def known_zone(where: str, zone: object) -> str:
    """The zone's name. Raises SourcesError when there is no such zone."""
    try:
        ZoneInfo(str(zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SourcesError(f"{where}: timezone is {zone!r}, expected a name like Asia/Shanghai") from error
    return str(zone)


def formula(where: str, text: str) -> Formula:
    """Parse ``{a} * {b} - {c?}``: columns in braces, numbers, + - * and parentheses. Raises SourcesError."""
    operands: dict[str, Operand] = {}

    def name(match: re.Match[str]) -> str:
        operand = f"c{len(operands)}"
        operands[operand] = Operand(match[1].strip(), bool(match[2]))
        return operand

    try:
        tree = ast.parse(_NAMED.sub(name, text), mode="eval").body
    except SyntaxError:
        tree = None
    if tree is None or not operands or not all(_is_arithmetic(node, operands) for node in _parts(tree)):
        raise SourcesError(
            f"{where}: compute is {text!r}, expected columns in braces and numbers, joined by + - * and parentheses, "
            'like "{price} * {quantity} - {discount?}" (? where an empty one counts as 0)'
        )
    return Formula(text, tree, operands)


def _parts(tree: ast.expr) -> Iterator[ast.expr]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def _is_arithmetic(node: ast.expr, operands: Mapping[str, Operand]) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Sub | ast.Mult)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return isinstance(node, ast.Name) and node.id in operands
