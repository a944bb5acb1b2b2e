"""How the text of a delivered file is written: its encoding, its delimiter and quotes, and the way it writes numbers.

Stated in ``sources.yml`` and never guessed, so that a file reads the same whatever its rows. Reading is done elsewhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OPTIONS = ("encoding", "delimiter", "quote", "decimal", "thousands")
NUMBER_KINDS = ("integer", "quantity", "money", "rate", "fx_rate")
# What DuckDB, too, takes for a decimal number.
DIGITS = r"\d(?:_?\d)*"
BLANKS = r"[\s\x0b]*"
PLAIN_NUMBER = rf"[-+]?(?:{DIGITS}\.?(?:{DIGITS})?|\.{DIGITS})(?:[eE][-+]?{DIGITS})?"


class DialectError(ValueError):
    """What ``sources.yml`` says of the way a text is written cannot be."""


@dataclass(frozen=True)
class Dialect:
    """``quote`` is empty where nothing is quoted, ``thousands`` where digits are not grouped.

    ``is_text``: numbers arrive as text; they do not from Parquet.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    thousands: str = ""
    is_text: bool = True

    @classmethod
    def of(cls, form: str, body: Mapping[str, Any]) -> Dialect:
        """What a table's entry says of a file of this format. Raises DialectError with what, got and expected."""
        said = {name: str(body[name]) for name in OPTIONS if name in body}
        allowed = {"csv": set(said), "jsonl": {"encoding", "thousands"}, "xlsx": {"thousands"}}.get(form, set())
        if set(said) - {"encoding"} - allowed:
            raise DialectError(
                f"{sorted(set(said) - allowed)} are given for {form}, expected only for csv; leave them out"
            )
        dialect = cls(**said, is_text=form != "parquet")
        dialect._check()
        return dialect

    def _check(self) -> None:
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError) as error:
            raise DialectError(f"encoding is {self.encoding!r}, expected one like utf-8 or gb18030") from error
        if not re.fullmatch(r"[^\w\r\n.+-]", self.delimiter, re.ASCII) or not self.delimiter.isascii():
            raise DialectError(f"delimiter is {self.delimiter!r}, expected one character like , ; | or \\t")
        if self.quote not in ('"', "'", "") or self.quote == self.delimiter:
            raise DialectError(f"quote is {self.quote!r}, expected \" or ', or nothing where no value is quoted")
        if self.decimal not in (".", ","):
            raise DialectError(f"decimal is {self.decimal!r}, expected . or ,")
        if self.thousands and not re.fullmatch(r"[., '’_\u00a0\u202f]", self.thousands):
            raise DialectError(f"thousands is {self.thousands!r}, expected one of . , ' ’ _ or a space, or nothing")
        if self.thousands == self.decimal:
            raise DialectError(f"thousands and decimal are both {self.decimal!r}, expected two different characters")

    @property
    def number(self) -> str:
        """The regular expression, as RE2 reads it, of a whole text that is a number here. Groups have three digits."""
        if self.decimal == "." and not self.thousands:
            return rf"^{BLANKS}{PLAIN_NUMBER}{BLANKS}$"
        point = re.escape(self.decimal)
        whole = rf"\d{{1,3}}(?:{_escaped(self.thousands)}\d{{3}})+|\d+" if self.thousands else r"\d+"
        return rf"^{BLANKS}[-+]?(?:(?:{whole})(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?{BLANKS}$"

    def number_sql(self, value: str) -> str:
        """SQL for a number as DuckDB casts it rightly; null where ``value`` is no number in a dialect of its own."""
        if not self.is_text:
            return value
        plain = f"replace({value}, {_literal(self.thousands)}, '')" if self.thousands else value
        plain = f"replace({plain}, ',', '.')" if self.decimal == "," else plain
        if plain != value:
            plain = f"case when regexp_full_match({value}, {_literal(self.number)}) then {plain} end"
        has_exponent = f"contains({plain}, 'e') or contains({plain}, 'E')"  # lower() would cost as much as the casts
        return f"case when {has_exponent} then {without_exponent(plain)} else {plain} end"

    def records(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The records of a CSV but its empty lines. Raises csv.Error where a quote is not closed or not doubled."""
        if self.quote:
            reader = csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True)
        else:
            reader = csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return (record for record in reader if record)


def without_exponent(text: str) -> str:
    """SQL for a number's text without an exponent: a cast of ``5.96e-08`` straight to decimal(18, 4) gives 0.0001."""
    return f"cast(try_cast({text} as decimal(38, 18)) as varchar)"


def _escaped(character: str) -> str:
    return re.escape(character) if character.isascii() else character


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
