"""What ``sources.yml`` says of a table that is read from a database instead of files. Nothing connects here.

A pulled table arrives as a Parquet file in the landing folder, as if its sender had put it there: after that there is
one gate for all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class QueryError(ValueError):
    """What ``sources.yml`` says of a database, or of a table in it, cannot be."""


@dataclass(frozen=True)
class Query:
    """A table or a select of a PostgreSQL server. ``url`` is the environment variable that says where it is.

    ``cursor`` is a column that grows with every change, as ``updated_at``: only rows from its last value on are pulled,
    less ``overlap`` (as ``10 minutes``) for what was committed late. Rows without a value come with a first pull only.
    """

    url: str
    select: str
    cursor: str | None = None
    overlap: str | None = None

    @classmethod
    def of(cls, source: Mapping[str, Any], body: Mapping[str, Any]) -> Query | None:
        """None for a table that is delivered in files. Raises QueryError with what, got and expected."""
        if "database" not in source:
            return None
        database = source["database"]
        url = database.get("url") if isinstance(database, dict) else None
        if not isinstance(url, str) or not re.fullmatch(r"(?!TIERING_)[A-Z][A-Z0-9_]*", url):
            raise QueryError(  # what was got may be a secret
                "database is not understood, expected {url: NAME} with the name of an environment variable that "
                "holds the URL; no secret belongs in this file"
            )
        select, cursor, overlap = body.get("from"), body.get("cursor"), body.get("overlap")
        if not isinstance(select, str) or not select.strip() or ";" in select:
            raise QueryError(f"from is {select!r}, expected a table or one select")
        if cursor is not None and (not isinstance(cursor, str) or body.get("mode") == "full"):
            raise QueryError(f"cursor is {cursor!r}, expected a column's name, and none with mode: full")
        if overlap is not None and not (cursor and re.fullmatch(r"\d+ (second|minute|hour|day)s?", str(overlap))):
            raise QueryError(f"overlap is {overlap!r}, expected one like 10 minutes beside a cursor")
        if "files" in body or "format" in body:
            raise QueryError("files and format are given, expected neither: what is pulled arrives as Parquet")
        return cls(url, select.strip(), cursor, overlap)

    @property
    def relation(self) -> str:
        """What follows ``from`` in SQL, called ``told``."""
        if re.match(r"(select|with)\s", self.select, re.IGNORECASE):
            return f"({self.select}) as told"
        return ".".join(f'"{part}"' for part in self.select.replace('"', "").split(".")) + " as told"


def pulled_files(entity: str) -> dict[str, str]:
    """How the files of a pulled table are called and written, as ``sources.yml`` says it of delivered ones."""
    return {"files": f"{entity}_{{delivery_date}}_at_{{extracted_at}}.parquet", "format": "parquet"}
