"""A line of JSON becomes columns of text: what an object holds is named ``outer.inner``, an array stays JSON.

A number keeps every digit it was written with. Which columns are read, and where the lines come from, is not said here.
"""

from __future__ import annotations

import json
from typing import Any


class _Number(str):
    """The text of a number, which is written without quotes again."""


def flat_record(line: str) -> dict[str, str | None] | None:
    """The object's values by name; None where the line is no JSON object or would give one name two values."""
    try:
        record = json.loads(
            line, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_once
        )
        flat: dict[str, str | None] = {}
        _flatten(record, "", flat)
        "".join(text for item in flat.items() for text in item if text).encode()
    except (ValueError, AttributeError, RecursionError):
        return None
    return flat


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _flatten(record: dict[str, Any], prefix: str, flat: dict[str, str | None]) -> None:
    for name, value in record.items():
        path = prefix + name
        if isinstance(value, dict):
            _flatten(value, f"{path}.", flat)
        elif path in flat:
            raise ValueError(f"{path} stands twice")
        else:
            flat[path] = value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    if isinstance(value, _Number):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_json(name)}: {_json(inner)}' for name, inner in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
