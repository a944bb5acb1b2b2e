"""Promises of ``tiering policy check``: what contradicts itself is named with its lines, by the very tests of a run."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration import dbt
from orchestration.cli import app
from orchestration.policy_rules import BrokenRow, broken_rules, foreign_bounds, policy_tests, unfed_weights
from orchestration.settings import POLICY_SEEDS, PROJECT_ROOT, Settings

POLICIES = [POLICY_SEEDS, *sorted((PROJECT_ROOT / "examples").glob("*/policy"))]
# Each with: the file, what stands there, what is put in its place, the rule that it breaks, and a row that is named.
BREAKS = [
    ("bands", "abc,B,2,0.80", "abc,B,2,0.81", "assert_bands_tile_the_line", "lens abc, band B"),
    ("bands", "abc,B,2,0.80", "abc,B,2,0.79", "assert_bands_tile_the_line", "lens abc, band B"),
    ("bands", "churn,lost", "chrun,lost", "assert_every_lens_that_is_named_exists", "lens chrun, band lost"),
    ("parts", "credit,payment_period", "credit,rfm", "assert_every_rank_of_a_part_has_a_band", "part rfm"),
    ("labels", "new,new", "new,gnu", "assert_every_band_that_is_named_exists", "label new, band gnu"),
    (
        "actions",
        "general,90,potential",
        "general,90,potent",
        "assert_every_band_that_is_named_exists",
        "goal_band potent",
    ),
    ("gates", "credit,D,,T2", "credit,D,T1,T2", "assert_every_gate_leads_to_a_tier", "gate poor_credit"),
    ("gates", "credit,D,,T2", "credit,F,,T2", "assert_every_band_that_is_named_exists", "gate poor_credit, band F"),
    ("lenses", "2,worst", "1,worst", "assert_every_lens_stands_after_what_it_reads", "lens credit"),
    ("lenses", "1,label,kind", "1,label,kid", "assert_every_lens_names_what_it_measures", "indicator kid"),
    ("lenses", "60,renormalise", "60,forget", "assert_policy_lenses_say_what_happens", "on_missing forget"),
    ("matrices", "high,star,,", "high,star,stars,", "assert_every_matrix_has_all_its_cells", "column_band high"),
    ("bands", "Class A,A 类客户", "Class A,", "assert_every_rule_is_labelled", "lens abc, band A"),
    ("weights", "tier,abc,0.2500", "tier,abc,0.2600", "assert_weights_of_each_target_sum_to_one", "total_weight 1.01"),
    ("weights", "tier,abc,", "tier,acb,", "assert_every_weighted_lens_exists", "factor acb"),
    ("rfm_segments", "loyal,3,4", "loyal,3,3", "assert_rfm_segments_cover_every_cell_once", "recency 4, frequency 4"),
    (
        "rfm_metrics",
        "monetary,net",
        "monetary,nothing",
        "assert_every_rfm_factor_names_an_indicator",
        "nothing_amount_365d",
    ),
    ("windows", "730d,730", "730d,700", "assert_every_policy_version_states_every_parameter_and_window", "730d"),
    ("parameters", "score_scale", "scale", "assert_every_policy_version_states_every_parameter_and_window", "scale"),
    ("lenses", "margin_amount_365d", "margin_365d", "assert_every_lens_names_what_it_measures", "lens value"),
    ("lenses", "abc,ABC by margin", "xyz,ABC by margin", "assert_every_lens_that_is_named_exists", "lens xyz"),
    ("transitions", "growth,maturity", "growth,age", "assert_every_pair_of_stages_is_ruled", "to_band age"),
    ("versions", "01-01,,", "01-01,2026-01-01,", "assert_policy_versions_follow_each_other", "effective_to 2026-01-01"),
    ("windows", "2025.1,90d", "2025.2,90d", "assert_every_policy_version_states_every_rule", "policy_version 2025.2"),
    ("parameters", "keep_margin,", "keep_margin,-", "assert_tiers_are_kept_by_margins", "tier_keep_margin"),
    ("bands", "tier,T1,1", "tier,T1,5", "assert_tiers_are_ranked_from_one_by_their_bounds", "band T1"),
]


@pytest.fixture
def own(settings: Settings) -> Settings:
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    return settings


@pytest.mark.parametrize("folder", POLICIES, ids=lambda folder: folder.parent.name)
def test_every_policy_of_the_project_breaks_no_rule(settings: Settings, folder: Path) -> None:
    assert broken_rules(settings, folder) == []
    assert not settings.home.exists(), "a check must leave the home as it is"


def test_rows_that_contradict_each_other_are_named_with_their_line(own: Settings) -> None:
    """One folder for all breaks, which are of different rows; what is expected of each stands alone."""
    for file, before, after, rule, got in BREAKS:
        table = own.policy / f"policy_{file}.csv"
        text = table.read_text(encoding="utf-8")
        assert before in text
        table.write_text(text.replace(before, after, 1), encoding="utf-8")
        named = [row for broken in broken_rules(own, own.policy) if broken.rule.startswith(rule) for row in broken.rows]
        assert any(got in row.got for row in named), f"{rule}: {named}"
        line = text[: text.index(before)].count("\n") + 1
        assert any(row.file == str(table) and line in row.lines for row in named), f"{rule}, line {line}: {named}"
        table.write_text(text, encoding="utf-8")


def test_days_margin_and_months_by_which_a_tier_is_lost_are_each_held_to_what_they_can_be(own: Settings) -> None:
    parameters = own.policy / "policy_parameters.csv"
    sound = parameters.read_text(encoding="utf-8")
    broken = {"keep_margin": "-0.0001", "dwell_days": "-21", "hold_days": "27.5", "grace_days": "-1"}
    at_bounds = dict.fromkeys(broken, "0")
    for values, months, rows in ((broken, "5", 5), (broken, "24", 5), (broken, "0.5", 5), (at_bounds, "6", 0)):
        text = sound
        for name, value in (values | {"review_months": months}).items():
            text, found = re.subn(f"(tier_{name}),[0-9.]+,", rf"\g<1>,{value},", text)
            assert found == 1, name
        parameters.write_text(text, encoding="utf-8")
        assert [(rule.rule, len(rule.rows)) for rule in broken_rules(own, own.policy)] == (
            [("assert_tiers_are_kept_by_margins_and_days_that_can_be", rows)] if rows else []
        ), months


def test_a_row_that_is_missing_is_named_by_its_file(own: Settings) -> None:
    cells = own.policy / "policy_matrices.csv"
    text = cells.read_text(encoding="utf-8")
    cells.write_text(text.replace("2025.1,value_potential,value,high,potential,high,star,,derived\n", ""), "utf-8")
    (broken,) = broken_rules(own, own.policy)
    assert broken.rule == "assert_every_matrix_has_all_its_cells"
    got = "policy_version 2025.1, lens value_potential, row_band high, column_band high"
    assert broken.rows == (BrokenRow(str(cells), (), got),)


def test_a_row_that_is_stated_twice_is_named_with_both_lines(own: Settings) -> None:
    parameters = own.policy / "policy_parameters.csv"
    text = parameters.read_text(encoding="utf-8")
    parameters.write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    (broken,) = broken_rules(own, own.policy)
    assert (broken.rule, broken.rows[0].lines) == (
        "assert_policy_parameters_are_stated_once",
        (2, text.count("\n") + 1),
    )


def test_every_rule_says_what_it_expects_and_how_to_mend_it(settings: Settings) -> None:
    tests = policy_tests(dbt.manifest_document(dbt.manifest_path(settings)))
    assert len(tests) > 25
    assert [test["name"] for test in tests if not {"expected", "mend"} <= test["config"]["meta"].keys()] == []


def test_a_weight_that_nothing_feeds_is_told_with_its_line(own: Settings) -> None:
    assert unfed_weights(own, own.policy) == []
    shutil.copyfile(PROJECT_ROOT / "examples" / "cdnow" / "sources.yml", own.sources)
    notes = unfed_weights(own, own.policy)
    with (own.policy / "policy_weights.csv").open(encoding="utf-8") as file:
        factors = [row["factor"] for row in csv.DictReader(file)]
    told = {factors[int(note.partition("line ")[2].partition(":")[0]) - 2]: note for note in notes}
    assert set(told) == {"abc", "collection", "engagement"}
    assert "abc weighs 0.2500, but sales.order_line.cost_amount is not delivered" in told["abc"]


def test_bounds_that_are_amounts_of_another_currency_are_told_until_they_are_set(own: Settings) -> None:
    assert foreign_bounds(own, own.policy) == [], "the shipped amounts are in the shipped currency"
    versions, bands = own.policy / "policy_versions.csv", own.policy / "policy_bands.csv"
    versions.write_text(versions.read_text(encoding="utf-8").replace(",CNY,", ",USD,"), "utf-8")
    told = {note.partition(": ")[2].split()[0] for note in foreign_bounds(own, own.policy)}
    assert told == {"firm_size_revenue", "bank_tier_1", "bank_total", "bank_wealth", "vip_spend", "pipeline"}
    shutil.copyfile(PROJECT_ROOT / "examples" / "cdnow" / "sources.yml", own.sources)
    text = bands.read_text(encoding="utf-8")
    line = text[: text.index("vip_spend,ordinary")].count("\n") + 1
    assert foreign_bounds(own, own.policy) == [
        f"policy_bands.csv line {line}, {line + 1}, {line + 2}: vip_spend has the shipped bounds, amounts in CNY, but "
        "reports are in USD: set your own"
    ]
    bands.write_text(text.replace(",40000", ",500").replace("150000,", "2000,"), "utf-8")
    assert foreign_bounds(own, own.policy) == []


def test_the_command_says_what_got_expected_and_mend(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERING_HOME", str(own.home))
    weights = own.policy / "policy_weights.csv"
    sound = CliRunner().invoke(app, ["policy", "check"])
    assert (sound.exit_code, "0 rules are broken" in sound.output) == (0, True), sound.output
    weights.write_text(weights.read_text(encoding="utf-8").replace("tier,abc,0.2500", "tier,abc,0.2600"), "utf-8")
    told = CliRunner().invoke(app, ["policy", "check"])
    assert told.exit_code == 1
    assert "BROKEN assert_weights_of_each_target_sum_to_one" in told.output
    assert "expected the weights of a target sum to 1" in told.output
    assert "total_weight 1.0100: policy_weights.csv line 5, 6, 7, 8, 9, 10" in told.output
    assert "to mend: change weights so that they do" in told.output
    document = json.loads(CliRunner().invoke(app, ["policy", "check", str(own.policy), "--json"]).output)
    assert (document["is_sound"], [rule["rule"] for rule in document["broken"]]) == (
        False,
        ["assert_weights_of_each_target_sum_to_one"],
    )
