"""What each published mart is and what its columns mean, from the dbt manifest: comments in the serving database and
a page in the release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb


@dataclass(frozen=True)
class MartColumn:
    name: str
    sql_type: str
    description: str
    is_operational: bool


@dataclass(frozen=True)
class Mart:
    """One published table, as its dbt contract describes it. ``key`` is what its uniqueness test names."""

    schema: str
    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[MartColumn, ...]

    @property
    def is_hashed(self) -> bool:
        """Audit marts speak of the run itself and have no content hash."""
        return self.schema != "audit"

    def released_on(self, day: date, source: str | None = None) -> str:
        """The select of what a release of the day holds: the build has every day of the run, the release only its own.

        ``source``: the table, where it is not in the connection's own database.
        """
        is_dated = self.is_hashed and any(column.name == "as_of_date" for column in self.columns)
        of_the_day = f" where as_of_date = date '{day}'" if is_dated else ""
        return f"select * from {source or f'{self.schema}.{self.name}'}{of_the_day}"

    @property
    def hashed_columns(self) -> list[tuple[str, str]]:
        return [(column.name, column.sql_type) for column in self.columns if not column.is_operational]


def marts_of(manifest: dict[str, Any]) -> list[Mart]:
    """Every model under models/marts, by schema and name."""
    found = [
        _mart(manifest, unique_id, node)
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
    ]
    return sorted(found, key=lambda mart: (mart.schema, mart.name))


def comment_on(connection: duckdb.DuckDBPyConnection, schema: str, mart: Mart) -> None:
    """Put the descriptions where a database client shows them."""
    connection.execute(f"comment on table {schema}.{mart.name} is {_literal(mart.description)}")
    for column in mart.columns:
        connection.execute(f"comment on column {schema}.{mart.name}.{column.name} is {_literal(column.description)}")


def write_dictionary(file: Path, marts: Sequence[Mart], indicators: Sequence[Mapping[str, Any]]) -> None:
    """The data dictionary as a Markdown page: the indicators in two languages, then every mart."""
    lines = [
        "# Data dictionary",
        "",
        "Amounts are in the reporting currency. Dates are local business dates, instants UTC.",
        "",
    ]
    head = ("indicator", "code", "label", "名称", "meaning", "含义", "unit", "window", "unknown")
    lines += ["## Indicators 指标", "", _line(head), "|---" * len(head) + "|"]
    told = ("indicator", "sop_code", "label_en", "label_zh", "definition_en", "definition_zh", "unit", "window_name")
    lines += [_line([row[name] or "" for name in (*told, "null_policy")]) for row in indicators]
    lines.append("")
    for mart in marts:
        lines += [f"## {mart.name}", "", mart.description, "", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| {column.name} | {column.sql_type} | {column.description} |" for column in mart.columns]
        lines.append("")
    file.write_text("\n".join(lines), encoding="utf-8")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _mart(manifest: dict[str, Any], unique_id: str, node: dict[str, Any]) -> Mart:
    columns = tuple(
        MartColumn(
            name=column["name"],
            sql_type=column["data_type"],
            description=column["description"],
            is_operational="operational" in column.get("tags", []) + column.get("config", {}).get("tags", []),
        )
        for column in node["columns"].values()
    )
    keys = [
        test["test_metadata"]["kwargs"]["columns"]
        for test in manifest["nodes"].values()
        if test.get("attached_node") == unique_id
        and (test.get("test_metadata") or {}).get("name") == "unique_combination"
    ]
    key = tuple(keys[0]) if keys else ()
    return Mart(node["schema"], node["name"], node["description"], key, columns)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
