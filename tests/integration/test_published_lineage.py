"""Promises of the lineage that a release holds: it is about this release's columns, and commands answer from it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
from installation import Published, copy_of, tiering


def test_a_release_traces_every_column_it_publishes(published_home: Published) -> None:
    document = json.loads((published_home.release / "lineage.json").read_text(encoding="utf-8"))
    told = {column["id"] for column in document["columns"]}
    with duckdb.connect(str(published_home.release / "serving.duckdb"), read_only=True) as serving:
        published = serving.execute(
            "select table_name || '.' || column_name from duckdb_columns() "
            "inner join duckdb_tables() using (table_name) where not duckdb_columns.internal"
        ).fetchall()
    assert len(published) > 200
    assert {column for (column,) in published} <= told
    assert document["unresolved"] == []


def test_source_columns_carry_the_names_that_the_systems_give_them(published_home: Published) -> None:
    document = json.loads((published_home.release / "lineage.json").read_text(encoding="utf-8"))
    columns = {column["id"]: column for column in document["columns"]}
    assert columns["sales.order_line.net_amount"]["delivered_as"] == ["sales: net_value"]
    assert columns["crm.account.tax_id"]["delivered_as"] == ["crm: 统一社会信用代码"]


def test_the_release_holds_the_page_beside_the_file(published_home: Published) -> None:
    page = (published_home.release / "lineage.html").read_text(encoding="utf-8")
    assert "Where figures come from" in page
    assert "http" not in page


def test_the_command_says_where_the_tier_score_comes_from(published_home: Published) -> None:
    said = tiering(published_home.home, "lineage", "customer_tiers.tier_score").stdout
    computed, decided = said.splitlines()[:2]
    rows = ["policy_bands.score", "policy_lenses.fallback_score", "policy_parameters.value", "policy_weights.weight"]
    assert computed == f"computed from: {', '.join(rows)}"
    assert "sales.order_line.net_amount" in decided
    assert "value: sales.order_line.net_amount  = sales: net_value" in said


def test_the_command_says_where_a_personal_column_goes(published_home: Published) -> None:
    told = tiering(published_home.home, "lineage", "crm.account.tax_id", "--down", "--json")
    answer = json.loads(told.stdout)
    assert answer["direction"] == "down"
    assert "customer_identity.customer_id" in answer["ends"]


def test_a_column_that_is_not_there_is_refused_with_what_resembles_it(published_home: Published) -> None:
    told = tiering(published_home.home, "lineage", "customer_tiers.tierscore")
    assert told.returncode == 1
    assert "customer_tiers.tier_score" in told.stderr


def test_a_release_without_lineage_says_so(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    for file in (home / "releases").glob("*/lineage.json"):
        file.unlink()
    told = tiering(home, "lineage", "customer_tiers.tier_score")
    assert told.returncode == 1
    assert "older than lineages" in told.stderr


def test_docs_are_one_page_that_sends_nothing(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    told = tiering(home, "docs", str(tmp_path / "docs"))
    assert told.returncode == 0, told.stderr
    assert [file.name for file in (tmp_path / "docs").iterdir()] == ["index.html"]
    page = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    assert "model.tiering.customer_tiers" in page
    assert '"send_anonymous_usage_stats": false' in page, "dbt's page reports its views where this is true"
