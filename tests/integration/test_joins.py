"""A promise of how models join: never by comparing each row with each other one, for that grows by the square."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from installation import Published, copy_of, settings_of

from orchestration import dbt
from orchestration.warehouse import open_warehouse


def test_no_model_compares_every_row_with_every_other(published_home: Published, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path / "copy"))
    models = dbt.compiled_models(settings)
    with open_warehouse(settings) as connection:
        plans = {
            name: json.loads(connection.execute(f"explain (format json) {sql}").fetchall()[0][1])
            for name, sql in models.items()
        }
    assert {name for name, plan in plans.items() if any(is_quadratic(step) for step in steps(plan))} == set()


def steps(plan: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in plan:
        yield step
        yield from steps(step["children"])


def is_quadratic(step: dict[str, Any]) -> bool:
    """A join without a key to hash by. With a scalar subquery on the right it is a comparison with one row."""
    if step["name"] != "BLOCKWISE_NL_JOIN":
        return False
    return int(step["children"][1]["extra_info"].get("Estimated Cardinality", 0)) > 1
