"""Promises of lineage: what a query reads is told column by column, and nothing that cannot be followed is guessed."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestration import dbt
from orchestration.lineage.graph import LINEAGE, PAGE, compute, project_lineage, write_lineage
from orchestration.lineage.origins import Relation, table
from orchestration.lineage.sql import trace
from orchestration.lineage.tree import Lineage, UnknownColumn
from orchestration.settings import Settings
from orchestration.warehouse_tables import ML_TABLES

TABLES = {
    "s.a": table("a", ["id", "x", "y", "day", "note"]),
    "s.b": table("b", ["id", "lower", "upper", "band", "rate"]),
    "policy.p": table("p", ["kind", "weight"], is_policy=True),
}
MARTS = ("customer", "scoring", "tiering", "audit")
# Columns of marts that no other column has a say in, and why.
CONSTANTS = {
    "audit_drift.horizon_days": "a parameter of ml/params.yml",
    "audit_models.horizon_days": "a parameter of ml/params.yml",
    "customer_scores.horizon_days": "a parameter of ml/params.yml",
    "score_reasons.horizon_days": "a parameter of ml/params.yml",
    "score_reasons.score_name": "says which score the row explains",
}


def traced(sql: str) -> Relation:
    return trace(sql, TABLES.get)


def origins(sql: str, column: str) -> dict[str, set[str]]:
    return {origin: set(marks) for origin, marks in traced(sql).columns[column].items()}


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The lineage of the project as it stands."""
    return project_lineage(Settings(home=tmp_path_factory.mktemp("lineage"), environment="test"))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return dbt.compiled_models(Settings(home=tmp_path_factory.mktemp("compiled"), environment="test"))


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = Settings(home=tmp_path_factory.mktemp("manifest"), environment="test")
    return dbt.manifest_document(dbt.manifest_path(settings))


def values_into(document: dict[str, Any]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for edge in document["edges"]:
        if edge["kind"] == "value":
            found[edge["to"]].add(edge["from"])
    return found


def chain(document: dict[str, Any], *columns: str) -> list[str]:
    """The steps of a chain that the document does not have as values."""
    found = values_into(document)
    return [f"{to} <- {origin}" for to, origin in pairwise(columns) if origin not in found[to]]


def test_a_column_renamed_through_with_queries_keeps_its_origin() -> None:
    sql = "with one as (select x as p from s.a), two as (select p as q from one) select q as r from two"
    assert origins(sql, "r") == {"a.x": {"value"}}


def test_a_star_stands_for_every_column_but_the_excluded() -> None:
    found = traced("with one as (select a.* exclude (note) from s.a) select *, x + y as z from one")
    assert list(found.columns) == ["id", "x", "y", "day", "z"]
    assert set(found.columns["z"]) == {"a.x", "a.y"}


def test_branches_of_a_union_meet_by_position() -> None:
    sql = "select x as p, y as q from s.a union all select rate, 0 from s.b"
    assert origins(sql, "p") == {"a.x": {"value"}, "b.rate": {"value"}}
    assert origins(sql, "q") == {"a.y": {"value"}}


def test_a_union_that_removes_duplicates_groups_by_all_columns() -> None:
    assert traced("select x from s.a union select y from s.a").rows["a.x"] == {"group"}


def test_a_window_is_ordered_and_partitioned_by_conditions() -> None:
    sql = "select lag(x) over (partition by id order by day) as before from s.a"
    assert origins(sql, "before") == {"a.x": {"value"}, "a.id": {"group"}, "a.day": {"order"}}


def test_a_window_with_a_name_is_the_same_as_one_without() -> None:
    sql = "select lag(x) over w as before from s.a window w as (partition by id order by day)"
    assert origins(sql, "before") == {"a.x": {"value"}, "a.id": {"group"}, "a.day": {"order"}}


def test_the_test_of_a_case_decides_and_its_results_flow() -> None:
    sql = "select case when day is null then x else y end as z from s.a"
    assert origins(sql, "z") == {"a.day": {"case"}, "a.x": {"value"}, "a.y": {"value"}}


def test_a_filter_decides_rows_and_not_every_column() -> None:
    found = traced("select x from s.a where y > 0 group by x having max(day) is not null")
    assert set(found.columns["x"]) == {"a.x"}
    assert {origin: set(marks) for origin, marks in found.rows.items()} == {
        "a.*": {"rows"},
        "a.y": {"filter"},
        "a.x": {"group"},
        "a.day": {"filter"},
    }


def test_the_filter_of_one_aggregate_decides_that_one_only() -> None:
    sql = "select sum(x) filter (where note = 'n') as some, sum(x) as all_of_it from s.a"
    assert origins(sql, "some") == {"a.x": {"value"}, "a.note": {"filter"}}
    assert origins(sql, "all_of_it") == {"a.x": {"value"}}


def test_what_a_join_compares_decides_what_it_brings() -> None:
    sql = "select a.x, b.band from s.a left join s.b on a.id = b.id and a.x >= b.lower"
    assert origins(sql, "x") == {"a.x": {"value"}}
    assert origins(sql, "band") == {
        "b.band": {"value"},
        "b.lower": {"join"},
        "a.x": {"join"},
        "a.id": {"match"},
        "b.id": {"match"},
        "b.*": {"rows"},
    }
    assert set(traced(sql).rows) == {"a.*"}
    assert set(traced(sql.replace("left join", "inner join")).rows) == {"a.*", "b.*", "a.id", "b.id", "a.x", "b.lower"}


def test_equal_to_a_column_of_a_policy_row_is_a_lookup() -> None:
    sql = "with p as (select * from policy.p) select p.weight from s.a inner join p on a.note = p.kind"
    found = origins(sql, "weight")
    assert (found["a.note"], found["p.kind"]) == ({"lookup"}, {"lookup"})


def test_what_a_rule_has_chosen_is_no_rule_itself() -> None:
    chosen = "select case when p.weight > 0 then a.id end as id from s.a inner join policy.p on true"
    sql = f"with one as ({chosen}) select b.band from one inner join s.b on one.id = b.id"
    assert origins(sql, "band")["b.id"] == {"match"}


def test_a_left_join_below_an_aggregate_decides_how_many_rows_are_summed() -> None:
    assert "b.lower" in traced("select sum(a.x) as x from s.a left join s.b on a.x > b.lower").rows


def test_counted_rows_come_from_what_decides_the_rows() -> None:
    assert origins("select count(*) as n from s.a where y > 0", "n") == {
        "a.*": {"rows", "count"},
        "a.y": {"filter", "count"},
    }


def test_a_query_within_reads_the_sources_around_it() -> None:
    sql = "select (select max(b.rate) from s.b where b.id = a.id) as rate from s.a"
    assert origins(sql, "rate") == {"b.rate": {"value"}, "b.*": {"rows"}, "b.id": {"match"}, "a.id": {"match"}}


def test_an_expression_is_told_where_it_was_made() -> None:
    found = traced("with one as (select x + y as z from s.a) select one.z from one")
    assert found.texts["z"] == ("x + y",)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select z from s.a", "?no column z where it is read"),
        ("select id from s.a inner join s.b on true", "?id may be of a or b"),
        ("select c.x from s.c", "?s.c is not a table of the project"),
        ("select t.x from read_csv('f') as t", "?READ_CSV('f') AS t is not followed"),
        ("select min(columns(*)) as x from s.a", "?a star within an expression is not followed"),
        ("select * replace (y as x) from s.a", "?a star that replaces is not followed"),
    ],
)
def test_what_cannot_be_followed_is_said_and_not_guessed(sql: str, reason: str) -> None:
    found = traced(sql)
    said = {origin for column in (*found.columns.values(), found.rows) for origin in column if origin.startswith("?")}
    assert reason in said


def test_nothing_in_the_project_is_unresolved(document: dict[str, Any]) -> None:
    assert document["unresolved"] == []


def test_every_edge_joins_two_columns_that_are_told(document: dict[str, Any]) -> None:
    told = {column["id"] for column in document["columns"]} | {f"{node['name']}.*" for node in document["nodes"]}
    loose = [edge for edge in document["edges"] if not {edge["from"], edge["to"]} <= told]
    assert not loose, loose[:5]


def test_the_tier_score_comes_from_weights_and_order_lines(document: dict[str, Any]) -> None:
    score = ("customer_tiers.tier_score", "int_tiers__held.tier_score", "int_factors__contributed.contribution")
    assert not chain(document, *score, "policy_weights.weight")
    assert not chain(document, *score, "int_customers__judged.score", "int_bands__numbered.score", "policy_bands.score")
    assert not chain(document, *score, "int_policy__in_force.tier_base_score", "policy_parameters.value")
    ends = Lineage(document).ends("customer_tiers.tier_score")
    assert ends["policy_weights.weight"] == 0
    # Who a customer is says whose points are summed, and nothing else: no contribution is chosen or ordered by it.
    of_customer = {edge["from"]: edge for edge in document["edges"] if edge["to"] == score[-1]}[
        "int_customers__judged.customer_number"
    ]
    assert (of_customer["kind"], set(of_customer["by"])) == ("condition", {"group"})
    assert ends["sales.order_line.net_amount"] == 1, "an amount decides a band, it does not flow into the score"
    assert "sales.order_line.tax_amount" not in ends


def test_net_sales_flow_from_the_order_line_through_every_stage(document: dict[str, Any]) -> None:
    steps = (
        "customer_indicators.net_amount_365d",
        "int_customers__indicated.net_amount_365d",
        "int_customers__windowed.net_amount_365d",
        "int_account_windows__summed.net_amount_365d",
        "int_account_days.net_amount",
        "int_account_events__unioned.net_amount",
        "int_order_lines__converted.net_amount",
        "stg_sales__order_lines.net_amount",
        "sales.order_line.net_amount",
    )
    assert not chain(document, *steps)
    ends = [column for column, conditions in Lineage(document).ends(steps[0]).items() if conditions == 0]
    assert sorted(ends) == ["finance.fx_rate.rate", "sales.order_line.net_amount", "sales.return_line.net_amount"]


def test_the_tier_is_looked_up_by_what_the_score_holds(document: dict[str, Any]) -> None:
    edges = {edge["from"]: edge for edge in document["edges"] if edge["to"] == "customer_tiers.tier"}
    assert edges["policy_bands.band"]["kind"] == "value"
    expected = {
        "int_tiers__held.tier_rank": ["join"],
        "int_tiers__held.is_held": ["case"],
        "tier_gates.floor_rank": ["join"],
        "int_overrides__identified.ceiling_tier": ["filter", "lookup"],
    }
    assert {name: edges[name]["by"] for name in expected} == expected
    assert {edges[name]["kind"] for name in expected} == {"condition"}
    held = {edge["from"] for edge in document["edges"] if edge["to"] == "int_tiers__held.is_held"}
    contribution = "int_factors__contributed.contribution"
    assert held >= {contribution, "stg_run__standings.last_kept_date", "policy_bands.lower_bound"}


def test_an_order_count_comes_from_which_orders_count(document: dict[str, Any]) -> None:
    """Its events are the constant 1: what decides it is which rows there are."""
    ends = Lineage(document).ends("customer_indicators.order_count_365d")
    assert {"sales.order.status", "policy_order_statuses.is_counted"} <= set(ends)


def test_scores_of_models_come_from_the_features_they_are_given(document: dict[str, Any]) -> None:
    ends = Lineage(document).ends("customer_scores.expected_net_amount")
    assert "sales.order_line.net_amount" in ends
    told = {column["id"] for column in document["columns"] if column["node"].startswith("ml.")}
    tables = ("scores", "models", "reasons", "gaps", "trials", "drifts")
    read = {f"ml.{name}.{part.split()[0]}" for name in tables for part in ML_TABLES[name].split(", ")}
    assert told == read
    stated = {edge["to"] for edge in document["edges"]}
    horizons = {f"ml.{name}.horizon_days" for name in ("scores", "models", "reasons", "trials", "drifts")}
    assert {column for column in told if column not in stated} == {*horizons, "ml.reasons.score_name"}


def test_a_gap_comes_from_the_figures_the_rules_and_the_model_that_judge(document: dict[str, Any]) -> None:
    ends = set(Lineage(document).ends("tier_gaps.one_order_amount"))
    rules = {"policy_bands.lower_bound", "policy_weights.weight", "policy_matrices.band"}
    assert ends >= {"sales.order_line.cost_amount", *rules}
    into = {edge["from"] for edge in document["edges"] if edge["to"] == "ml.gaps.one_order_amount"}
    assert into >= {"customer_indicators.days_since_contact", "int_customers__features.purchase_days", *rules}


def test_every_mart_column_reaches_a_leaf_or_is_a_stated_constant(document: dict[str, Any]) -> None:
    layers = {node["name"]: node["layer"] for node in document["nodes"]}
    lineage = Lineage(document)
    lost = {
        column["id"]
        for column in document["columns"]
        if layers[column["node"]] in MARTS and not lineage.ends(column["id"])
    }
    assert lost == set(CONSTANTS)


def test_every_mart_column_of_the_contract_is_traced(document: dict[str, Any], manifest: dict[str, Any]) -> None:
    told = {column["id"] for column in document["columns"]}
    promised = {
        f"{node['name']}.{column}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
        for column in node["columns"]
    }
    assert not promised - told


def test_source_columns_show_their_pii_class(document: dict[str, Any]) -> None:
    columns = {column["id"]: column for column in document["columns"]}
    assert columns["crm.account.tax_id"]["pii"] == "P2"
    assert columns["crm.account.tax_id"]["personal_when"] == "account_kind = 'person'"
    into = Lineage(document, down=True).ends("crm.account.tax_id")
    assert "customer_identity.customer_id" in into


def test_a_personal_column_that_staging_leaves_out_goes_nowhere(document: dict[str, Any]) -> None:
    assert Lineage(document, down=True).reached("crm.contact.full_name") == {}


def test_changed_sql_changes_the_answer(manifest: dict[str, Any], compiled: dict[str, str]) -> None:
    model = "model.tiering.stg_sales__order_lines"
    sql = compiled[model].replace("    net_amount,", "    gross_amount - discount_amount as net_amount,")
    assert sql != compiled[model]
    ends = Lineage(compute(manifest, compiled | {model: sql})).ends("customer_indicators.net_amount_365d")
    assert "sales.order_line.net_amount" not in ends
    assert ends["sales.order_line.gross_amount"] == ends["sales.order_line.discount_amount"] == 0


def test_sql_that_cannot_be_followed_is_listed_as_unresolved(
    manifest: dict[str, Any], compiled: dict[str, str]
) -> None:
    model = "model.tiering.stg_sales__order_lines"
    sql = compiled[model].replace("    net_amount,", "    nett_amount as net_amount,")
    unresolved = compute(manifest, compiled | {model: sql})["unresolved"]
    assert unresolved == [
        {"column": "stg_sales__order_lines.net_amount", "reason": "no column nett_amount where it is read"}
    ]


def test_incremental_models_are_told_in_their_full_form(compiled: dict[str, str]) -> None:
    """A build that goes on reads less; what a column comes from is what it was first made from."""
    assert "cast(null as date)" in compiled["model.tiering.int_account_windows__summed"]


def test_the_lineage_of_an_unchanged_project_is_not_computed_again(
    tmp_path: Path, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.lineage.graph.compute", None)
    assert project_lineage(Settings(home=tmp_path)) == document


def test_the_page_holds_everything_and_asks_no_network(tmp_path: Path) -> None:
    write_lineage(tmp_path, Settings(home=tmp_path / "home"), None)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "http" not in page
    embedded = page.partition('type="application/json">')[2].partition("</script>")[0]
    document = json.loads((tmp_path / LINEAGE).read_text(encoding="utf-8"))
    packed = json.loads(embedded)
    assert len(packed["edges"]) == len(document["edges"])
    assert len(packed["columns"]) == len(document["columns"]) + len(document["nodes"])


def test_an_unknown_column_is_answered_with_what_resembles_it(document: dict[str, Any]) -> None:
    with pytest.raises(UnknownColumn, match=r"customer_tiers\.tier_score"):
        Lineage(document).ends("customer_tiers.tierscore")


def test_the_tree_names_a_column_again_and_tells_it_once(document: dict[str, Any]) -> None:
    lines = [line for _, line in Lineage(document).lines("customer_tiers.tier_score")]
    assert lines[:3] == [
        "customer_tiers.tier_score",
        "value: int_tiers__held.tier_score",
        "value: int_factors__contributed.contribution",
    ]
    assert any("policy_weights.weight" in line for line in lines)
    assert any(line.endswith("(above)") for line in lines)
