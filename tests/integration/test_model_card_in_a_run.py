"""Promises of the published model card: it is of the release's own model, and says rightly what scores read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from installation import Published, copy_of, rows, settings_of

from orchestration.release.score_inputs import ABSENT, INPUTS, MISSED, READ, UNREAD, WITHHELD, uses


def manifest(published: Published) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((published.release / "manifest.json").read_text(encoding="utf-8"))
    return told


def test_the_card_of_a_release_is_of_its_model_and_names_nobody(published_home: Published) -> None:
    card = (published_home.release / "model_card.html").read_text(encoding="utf-8")
    told = manifest(published_home)
    assert told["model"]["sha256"] in card
    assert told["release_id"] in card
    # The tiny company has too little to beat a simple rule.
    assert "Grade C: " in card
    assert "With grade C: any use" in card
    described = rows(f"select customer_id, customer_name from '{published_home.release}/customer_360.parquet'")
    assert len(described) > 100
    assert not [name for row in described for name in row if name and name in card]
    assert 'href="model_card.html"' in (published_home.release / "report.html").read_text(encoding="utf-8")


def ancestors(document: dict[str, Any], columns: Iterable[str]) -> set[str]:
    """What the values of columns are made of."""
    made_of = defaultdict(list)
    for edge in document["edges"]:
        if edge["is_main"] and edge["kind"] == "value":
            made_of[edge["to"]].append(edge["from"])
    found, open_ = set[str](), list(columns)
    while open_:
        if (column := open_.pop()) not in found:
            found.add(column)
            open_ += made_of[column]
    return found


def test_inputs_that_are_said_to_be_read_are_those_that_features_are_made_of(published_home: Published) -> None:
    document = json.loads((published_home.release / "lineage.json").read_text(encoding="utf-8"))
    sources = {node["name"] for node in document["nodes"] if node["kind"] == "source"}
    features = "int_customers__features"
    amounts = ("net_amount", "mean_day_amount", "newest_days_amount", "margin_amount", "costed_net_amount")
    counted = ancestors(document, [f"{features}.{name}" for name in amounts])
    whose = ancestors(document, [f"{features}.customer_id"])
    made_of = {column.rpartition(".")[0] for column in counted | whose} & sources
    # The days are those of orders; the lineage follows them through a union with the events of other families.
    told = {table for given in INPUTS if given.read[0] for table in given.tables}
    assert told == made_of | {"sales.order"}


def test_what_is_not_delivered_is_told_by_what_it_means_for_the_scores(
    published_home: Published, tmp_path: Path
) -> None:
    home = copy_of(published_home, tmp_path)
    known_at, day = datetime.fromisoformat(manifest(published_home)["known_at"]), published_home.days[-1]

    def states(build: duckdb.DuckDBPyConnection) -> dict[str, str]:
        return {use.name[0]: use.state for use in uses(build, day, known_at)}

    with duckdb.connect(str(settings_of(home).warehouse)) as build:
        build.execute("set timezone = 'UTC'")
        told = uses(build, day, known_at)
        before = {use.name[0]: use.state for use in told}
        assert before["Purchases"] == before["Returns"] == before["Cost and margin"] == before["Accounts"] == READ
        assert before["Complaints and surveys"] == before["Payments and invoices"] == before["Contracts"] == UNREAD
        assert before["Loyalty points"] == ABSENT
        # Every accepted row of every table is in a line; those of order lines are in two.
        accepted = "select sum(accepted), sum(accepted) filter (entity = 'order_line') from run.run_batches"
        (every, lines) = build.execute(f"{accepted} where known_at <= ?", [known_at]).fetchall()[0]
        assert sum(use.rows for use in told) == every + lines
        assert {use.span[1] for use in told if use.name[0] == "Purchases" and use.span} == {day}
        build.execute("delete from run.run_batches where entity = 'return_line' or family = 'service'")
        build.execute("update intermediate.int_customers__features set costed_net_amount = 0")
        after = states(build)
        assert (after["Returns"], after["Cost and margin"]) == (MISSED, WITHHELD)
        build.execute("delete from run.run_batches")
        assert {state for name, state in states(build).items() if name in ("Purchases", "Accounts")} == {WITHHELD}
        assert states(build)["Complaints and surveys"] == ABSENT


def test_a_card_knows_no_more_than_its_release(published_home: Published) -> None:
    with duckdb.connect(str(settings_of(published_home.home).warehouse), read_only=True) as build:
        build.execute("set timezone = 'UTC'")
        earlier = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        assert sum(use.rows for use in uses(build, published_home.days[-1], earlier) if use.name[0] == "Purchases") == 0
