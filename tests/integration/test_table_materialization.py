"""Promises of how a table is built: it takes the place of the one before, or that one stands; nothing is left over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from installation import Published, copy_of, settings_of

from orchestration import dbt
from orchestration.settings import Settings
from orchestration.warehouse import open_warehouse

MODEL = "int_run_dates__ordered"  # one that reads one relation only
TABLE = f"intermediate.{MODEL}"


@pytest.fixture
def settings(published_home: Published, tmp_path: Path) -> Settings:
    return settings_of(copy_of(published_home, tmp_path / "copy"))


def asked(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with open_warehouse(settings) as connection:
        return connection.execute(query).fetchall()


def build(settings: Settings) -> str:
    (result,) = dbt.build(settings, ("--select", MODEL, "--exclude", "resource_type:test"))
    return result.status


def test_a_table_whose_model_fails_stands_as_it_was(settings: Settings) -> None:
    before = asked(settings, f"from {TABLE} order by all")
    asked(settings, "alter table run.run_dates rename to elsewhere")
    assert build(settings) == "error"
    assert asked(settings, f"from {TABLE} order by all") == before
    asked(settings, "alter table run.elsewhere rename to run_dates")
    asked(settings, f"delete from {TABLE}")
    assert build(settings) == "success"
    assert asked(settings, f"from {TABLE} order by all") == before
    assert not asked(settings, "select table_name from duckdb_tables() where table_name like '%dbt%'")


def test_a_table_takes_the_place_of_a_view(settings: Settings) -> None:
    before = asked(settings, f"from {TABLE} order by all")
    asked(settings, f"drop table {TABLE}")
    asked(settings, f"create view {TABLE} as select 1 as nothing")
    assert build(settings) == "success"
    assert asked(settings, f"from {TABLE} order by all") == before
