"""Promises of each single data test of dbt: in a build that breaks it, it fails, and blocks or warns as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from installation import Published, as_table, copy_of, settings_of

from orchestration import dbt

ONE = "rowid = (select min(rowid) from {table})"
# What breaks a generic test in one row of its table, by the test's kind.
BREAKS = {
    "accepted_values": "update {table} set {column_name} = 'never heard of' where " + ONE,
    "accepted_range": "update {table} set {column_name} = {minimum} - 1 where " + ONE,
    "not_null": "update {table} set {column_name} = null where " + ONE,
    "unique": "insert into {table} from {table} where " + ONE,
    "unique_combination": "insert into {table} from {table} where " + ONE,
}
# Accounts of different customers said to share a key: on a day without new accounts there is none. And a measure that
# drifts: of so few customers none is judged.
FILLED = (
    "insert into intermediate.int_account_keys__shared (as_of_date, source_system, source_id, shared_key) "
    "select (select as_of_date from run.run_dates where is_release_date), source_system, source_id, 'shared' "
    "from intermediate.int_customers__identity where valid_to = date '9999-12-31'",
    "insert into ml.drifts values (90, 'm', 'input', 'recency', date '2025-12-01', null, 0.01, 0.1, 'steady')",
)
# What breaks the tests that have SQL of their own, where the rows above do not break them, too.
RELEASE = "(select as_of_date from run.run_dates where is_release_date)"
STATEMENTS = (
    "update intermediate.int_order_lines__converted set net_amount = null where is_counted",
    "update customer.contribution_waterfall set amount = amount + 1 where is_subtotal",
    "update intermediate.int_fx_rates__daily set known_from = known_to",
    "insert into intermediate.int_account_days from intermediate.int_account_days order by effective_from desc limit 1",
    "update intermediate.int_account_windows__summed set net_amount_all = net_amount_all + 1",
    "update intermediate.int_relation_windows__summed set feedback_count_365d = feedback_count_365d + 1",
    "update audit.indicator_dictionary set indicator = 'nothing' where indicator = 'kind'",
    "update policy.policy_bands set lower_bound = lower_bound + 1 where lens = 'tier'",
    "update policy.policy_lenses set indicator = 'nothing' where method = 'cut'",
    "update policy.policy_lenses set stage = 1 where method = 'worst'",
    "update policy.policy_labels set band = 'nothing'",
    "update policy.policy_bands set band_rank = 9 where lens = 'credit'",
    "update policy.policy_gates set ceiling_tier = 'nothing'",
    "update policy.policy_rfm_metrics set indicator = 'nothing'",
    "delete from policy.policy_matrices where rowid = (select max(rowid) - 1 from policy.policy_matrices)",
    "delete from policy.policy_order_statuses where is_counted",
    "delete from policy.policy_transitions where rowid = (select max(rowid) - 1 from policy.policy_transitions)",
    "insert into policy.policy_versions select * replace ('2026.1' as policy_version) from policy.policy_versions",
    "insert into policy.policy_weights select * replace ('nothing' as factor) from policy.policy_weights "
    "where target = 'tier' limit 1",
    "update policy.policy_parameters set value = 1 where parameter = 'quantile_count'",
    "update policy.policy_parameters set value = -1 where parameter = 'tier_keep_margin'",
    "update policy.policy_bands set band_rank = 9 where lens = 'tier' and band = 'T1'",
    "update policy.policy_versions set effective_to = date '2030-01-01'",
    "delete from policy.policy_windows where window_name = '365d'",
    "update policy.policy_bands set label_zh = null where lens = 'abc'",
    "insert into policy.policy_bands select * replace ('nothing' as lens) from policy.policy_bands limit 1",
    "update ml.reasons set contribution = 1",
    "update scoring.customer_scores set expected_net_amount = -horizon_days",
    "update scoring.tier_gaps set tier_score = tier_score + 0.0001",
    "update intermediate.int_factors__contributed set contribution = contribution + 1 where lens_number is null",
    "delete from tiering.customer_tiers where customer_id = (select max(customer_id) from tiering.customer_tiers)",
    f"insert into tiering.lifecycle_transitions select * replace ({RELEASE} as movement_date, false as is_expected) "
    "from tiering.lifecycle_transitions limit 1",
)


def data_tests(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]


def break_everything(build: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> list[str]:
    """Break the build for every test; tables that had no row to break."""
    for statement in FILLED:
        build.execute(statement)
    empty = []
    done: set[str] = set()
    # Rows first, so that the doubled ones are among them.
    for test in sorted(data_tests(manifest), key=lambda node: "unique" in str(node.get("test_metadata"))):
        if not (told := test.get("test_metadata")):
            continue
        node = manifest["nodes"][test["attached_node"]]
        table = f"{node['schema']}.{node['name']}"
        if node["config"]["materialized"] == "view" and table not in done:
            as_table(build, table)
            done.add(table)
        if build.execute(f"select count(*) from {table}").fetchall() == [(0,)]:
            empty.append(table)
        build.execute(BREAKS[told["name"]].format(table=table, **told["kwargs"]))
    for statement in STATEMENTS:
        build.execute(statement)
    return empty


def test_every_data_test_fails_in_a_build_that_breaks_it(published_home: Published, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    manifest = dbt.manifest_document(dbt.manifest_path(settings))
    with duckdb.connect(str(settings.warehouse)) as build:
        assert break_everything(build, manifest) == []
    results = dbt.build(settings, ["--select", "test_type:data"], command="test")
    assert {result.unique_id for result in results} == {node["unique_id"] for node in data_tests(manifest)}
    expected = {"error": ("fail", True), "warning": ("warn", False)}
    silent = [
        f"{verdict.subject}: {verdict.check_name} is {verdict.status} ({verdict.observed})"
        for verdict in dbt.test_verdicts(results, manifest)
        if (verdict.status, verdict.blocks) != expected[verdict.severity]
    ]
    assert silent == []
