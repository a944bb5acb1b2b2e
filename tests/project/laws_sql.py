"""Laws of SQL as pure checkers: text in, offenders (line, what) out. What a model reads and is called is in laws.py."""

from __future__ import annotations

import re
from collections.abc import Iterable

from laws import Offence, line_of


def _blanked(match: re.Match[str]) -> str:
    """As many line ends as the match had, so that positions keep their line."""
    return " " + "\n" * match.group().count("\n")


def sql_code(sql: str, *, strings: bool = False) -> str:
    """SQL without comments, with the inside of jinja braces as code; string literals go too unless ``strings``."""
    sql = re.sub(r"\{#.*?#\}|/\*.*?\*/", _blanked, sql, flags=re.DOTALL)
    sql = re.sub(r"--[^\n]*", "", sql)
    # What stands in jinja quotes is SQL in the making: the quotes go, the words stay.
    sql = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", lambda m: re.sub(r"[{}%\"']", " ", m.group()), sql, flags=re.DOTALL)
    return sql if strings else re.sub(r"'(?:[^']|'')*'", _blanked, sql)


def words(sql: str, patterns: Iterable[str]) -> list[Offence]:
    code = sql_code(sql)
    hits = [match for pattern in patterns for match in re.finditer(pattern, code, flags=re.IGNORECASE)]
    return sorted((line_of(code, hit.start()), hit.group().strip()) for hit in hits)


ENGINE_WORDS = (
    r"\bread_(?:parquet|csv|json)\w*", "::", r"\bqualify\b", r"\bexclude\b", r"\blist_\w*", r"\bstruct\w*",
    r"\bunnest\b", r"\basof\b", "//", r"\bhugeint\b", r"\bstrftime\b", r"\bepoch\w*", r"\bdate_trunc\b",
    r"\bsha256\s*\(", r"\bmd5\s*\(",
)  # fmt: skip


def engine_words(sql: str) -> list[Offence]:
    """DuckDB's own ways of saying things, which belong behind a macro."""
    return sorted(words(sql, ENGINE_WORDS) + from_first(sql))


def from_first(sql: str) -> list[Offence]:
    """``from x select y``: a FROM that opens a statement or a bracket."""
    code = sql_code(sql)
    return [
        (line_of(code, hit.end()), "from-first") for hit in re.finditer(r"(?:\A|\bas\s*\(|;)\s*from\s+\w", code, re.I)
    ]


SQL_CLOCKS = (
    r"\bcurrent_(?:date|time|timestamp)\b", r"\blocaltime(?:stamp)?\b", r"\b(?:now|today|getdate|sysdate)\s*\(",
    r"\bget_current_\w+", r"\btransaction_timestamp\b",
)  # fmt: skip
# Also inside a string: jinja is filled in before SQL sees the quotes.
QUOTED_CLOCKS = r"'\s*(?:now|today|yesterday|tomorrow)(?:\(\))?\s*'|\brun_started_at\b|\bmodules\.datetime\b"
_DATE = r"[\w.]*(?:date|_at|day|known_from|effective_from)"
# The newest date of a whole table stands in for today: alone in its select without a key, or over everything.
LATEST_DATE = (
    rf"\bselect\s+(?:distinct\s+)?max\s*\(\s*{_DATE}\s*\)(?:\s+as\s+\w+)?\s+from\b(?![^()]*\bgroup\s+by\b)",
    rf"\bmax\s*\(\s*{_DATE}\s*\)\s*over\s*\(\s*\)",
)


def sql_clocks(sql: str) -> list[Offence]:
    """Uses of the clock, or of the newest date delivered as if it were one."""
    text = sql_code(sql, strings=True)
    quoted = [(line_of(text, hit.start()), hit.group()) for hit in re.finditer(QUOTED_CLOCKS, text, re.IGNORECASE)]
    return sorted(words(sql, (*SQL_CLOCKS, *LATEST_DATE)) + quoted)


def _closing(text: str, opening: int) -> int:
    """Position of the bracket that closes the one at ``opening``."""
    depth = 0
    for position in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return len(text)


def business_numbers(sql: str, constants: Iterable[str] = ()) -> list[Offence]:
    """Number literals other than 0 and 1: what a company could want otherwise is a policy row.

    Type parameters are no numbers of the business; nor is a rounding to four digits (money) or six (rates), which is
    how the house stores them. A string that is only a number or a date is a literal in disguise.
    """
    text = sql_code(sql, strings=True)
    text = re.sub(r"'(?![\d\s.:+TZ-]*\d[\d\s.:+TZ-]*')(?:[^']|'')*'", _blanked, text)
    text = re.sub(r"\b(?:decimal|numeric|varchar)\s*\([\d\s,]*\)", _blanked, text, flags=re.IGNORECASE)
    for call in list(re.finditer(r"\bround\s*\(", text, re.IGNORECASE)):
        end = _closing(text, call.end() - 1)
        if scale := re.search(r",\s*([46])\s*$", text[call.end() : end]):
            place = call.end() + scale.start(1)
            text = text[:place] + " " + text[place + 1 :]
    allowed = {"0", "1", *constants}
    return [
        (line_of(text, hit.start()), hit.group())
        for hit in re.finditer(r"(?<![\w.])(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\b", text, re.IGNORECASE)
        if hit.group() not in allowed
    ]


ORDER_SENSITIVE = ("row_number", "lead", "lag", "first_value", "last_value", "nth_value")


def narrow_windows(sql: str) -> list[Offence]:
    """Windows whose outcome depends on the order of rows but which order by less than two columns.

    A frame in rows makes any aggregate depend on it; ``rank`` and plain totals give equal rows equal values.
    """
    code = sql_code(sql)
    named = {
        name.group(1).lower(): code[name.end() : _closing(code, name.end() - 1)]
        for name in re.finditer(r"\b(\w+)\s+as\s*\(", code, re.IGNORECASE)
    }
    offences = []
    for call in re.finditer(r"\b(\w+)\s*\(", code):
        end = _closing(code, call.end() - 1)
        over = re.match(r"\)\s*(?:filter\s*\([^)]*\)\s*)?over\s*(?:(\()|(\w+))", code[end:], re.IGNORECASE)
        if over is None:
            continue
        opening = end + over.end() - 1
        spec = code[opening + 1 : _closing(code, opening)] if over.group(1) else named.get(over.group(2).lower(), "")
        if call.group(1).lower() in ORDER_SENSITIVE or re.search(r"\brows\s+between\b", spec, re.IGNORECASE):
            order = re.search(r"\border\s+by\b(.*?)(?:\brows\b|\brange\b|\Z)", spec, re.IGNORECASE | re.DOTALL)
            if order is None or _top_level_commas(order.group(1)) == 0:
                offences.append((line_of(code, call.start()), f"{call.group(1)} over {over.group(2) or 'a window'}"))
    return offences


def _top_level_commas(text: str) -> int:
    depth = commas = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        commas += character == "," and depth == 0
    return commas
