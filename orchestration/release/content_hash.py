"""The content hash of a table: equal for equal rows, whatever their order, the threads or the engine.

SHA-256 of the schema text, the row count and four sums over the rows of 60-bit words of each row's SHA-256. Sums and
not xor, so that equal rows do not cancel. It proves equality; tamper evidence is the file's own sha256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import duckdb

FIELD, NULL = "chr(31)", "chr(30)"
WORD_STARTS = (1, 16, 31, 46)  # 15 hex digits, 60 bits, each


def content_hash(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[tuple[str, str]]) -> str:
    """The hash of ``relation`` over (name, SQL type) columns in order. Raises ValueError on a floating type."""
    row_text = f"concat_ws({FIELD}, {', '.join(_text(name, kind.lower()) for name, kind in columns)})"
    sums = ", ".join(f"sum(('0x' || digest[{start}:{start + 14}])::bigint::hugeint)" for start in WORD_STARTS)
    counted = connection.execute(
        f"select count(*), {sums} from (select sha256({row_text}) as digest from {relation})"
    ).fetchone()
    schema = ",".join(f"{name} {kind.lower()}" for name, kind in columns)
    return hashlib.sha256(f"{schema}|{counted}".encode()).hexdigest()


def _text(name: str, kind: str) -> str:
    """A field as canonical text: decimals as unscaled integers, instants as microseconds in UTC, text escaped."""
    if kind.startswith("decimal"):
        scale = int(kind.rstrip(")").split(",")[1])
        text = f"cast(cast({name} * cast(1{'0' * scale} as hugeint) as hugeint) as varchar)"
    elif kind.startswith("timestamp"):
        text = f"cast(epoch_us({name}) as varchar)"
    elif kind in ("float", "float4", "float8", "double", "real"):
        raise ValueError(f"content hash: column {name} is {kind}, expected a type with exact equality")
    elif kind == "varchar":
        text = f"replace(replace(replace({name}, '\\', '\\\\'), chr(30), '\\n'), chr(31), '\\u')"
    else:
        text = f"cast({name} as varchar)"
    return f"coalesce({text}, {NULL})"
