"""What an unknown file looks like: its format, how its text is written, and a sample of its records.

A guess for a person to look at, and to state in ``sources.yml``: landing itself never guesses.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from orchestration.extract.physical import HeldFile

FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".xlsx": "xlsx"}  # fmt: skip
PACKED = (".gz", ".zip")
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT_BYTES = 1 << 20
DECIMAL_COMMA = re.compile(r"[-+]?(\d{1,3}([. ']\d{3})*|\d+),\d+")
DECIMAL_POINT = re.compile(r"[-+]?(\d{1,3}([, ']\d{3})*|\d+)\.\d+")
GROUPED = re.compile(r"[-+]?\d{1,3}([., '])\d{3}(?:\1\d{3})*[.,]\d+")


@dataclass(frozen=True)
class Written:
    """How a file is written, as ``sources.yml`` would say it."""

    format: str
    options: Mapping[str, str]


def written(file: Path, head: bytes) -> Written:
    """The format by the file's name, and the dialect of a text by ``head``, its first bytes. Raises HeldFile."""
    suffix = next((suffix for suffix in reversed(file.suffixes) if suffix.lower() not in PACKED), "").lower()
    if suffix not in FORMATS:
        raise HeldFile(f"{file.name} ends in {suffix or 'nothing'}, expected one of {', '.join(FORMATS)}")
    form = FORMATS[suffix]
    if form not in ("csv", "jsonl"):
        return Written(form, {})
    encoding = text_encoding(head)
    options = {} if encoding == "utf-8" else {"encoding": encoding}
    if form == "csv":
        header = head.decode(encoding, errors="ignore").lstrip("\ufeff").split("\n", 1)[0]
        delimiter = max(DELIMITERS, key=header.count)
        options |= {} if delimiter == "," else {"delimiter": delimiter}
    return Written(form, options)


def text_encoding(head: bytes) -> str:
    """UTF-8 where the bytes are that; else GB 18030 where most bytes above ASCII come in pairs, as in Chinese."""
    for mark, encoding in BOMS.items():
        if head.startswith(mark):
            return encoding
    try:
        head.decode("utf-8", errors="strict")
        return "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 3:  # the last character is cut
            return "utf-8"
    high = sum(1 for byte in head if byte >= 0x80)
    paired = sum(1 for first, second in pairwise(head) if first >= 0x80 and second >= 0x80)
    return "gb18030" if 2 * paired > high else "cp1252"


def number_style(texts: Sequence[str]) -> dict[str, str]:
    """``decimal`` and ``thousands`` where numbers are not written as 1234.56."""
    commas = sum(1 for text in texts if DECIMAL_COMMA.fullmatch(text))
    points = sum(1 for text in texts if DECIMAL_POINT.fullmatch(text))
    decimal = "," if commas > points else "."
    groups = [match[1] for text in texts if (match := GROUPED.fullmatch(text)) and match[1] != decimal]
    style = {"decimal": ","} if decimal == "," else {}
    return style | ({"thousands": max(set(groups), key=groups.count)} if groups else {})
