"""Promises of a model's evidence: its figures are those of the protocol, intervals hold them, documents keep them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest
from test_champion import CUTOFF, HORIZON, PARAMS, features_of, purchases

from ml.evaluate import auc, normalised_gini, top_share
from ml.evidence import PARTS, evidence_of, evidence_of_mapping
from ml.grade import Judged
from ml.learn import TrainedModel, cutoffs, learn

RULES = {"auc": "frequency", "gini": "past_value"}


def judged(seed: int, cutoff: date, customers: int = 300) -> Judged:
    """Who bought more buys more; the amounts of those with eight purchase days or more are told at half."""
    random = np.random.default_rng(seed)
    frequency = random.integers(1, 12, customers).astype(np.float64)
    count = random.poisson(frequency / 8).astype(np.float64)
    value = count * random.integers(50, 150, customers)
    expected = np.where(frequency >= 8, 0.5, 1.0) * frequency / 8 * 100
    return Judged(
        cutoff=cutoff,
        rung="champion",
        customers=tuple(f"c{nth:04}" for nth in range(customers)),
        inactive=np.exp(-frequency / 8).round(6),
        expected_count=frequency / 8,
        expected_value=expected,
        count=count,
        value=value,
        rules={
            "recency": random.integers(0, 90, customers).astype(np.float64),
            "frequency": frequency,
            "past_value": frequency * random.integers(50, 150, customers),
            "rfm_sum": frequency,
        },
    )


@cache
def two() -> tuple[Judged, ...]:
    return judged(1, date(2025, 6, 1)), judged(2, date(2025, 5, 2))


def test_figures_of_each_cut_off_are_those_of_the_protocol_and_their_intervals_hold_them() -> None:
    shown = evidence_of(two(), RULES, 90, PARAMS)
    assert [row["cutoff"] for row in shown.cutoffs] == ["2025-06-01", "2025-05-02"]
    for row, test in zip(shown.cutoffs, two(), strict=True):
        figures, inactive = row["figures"], (test.count == 0).astype(np.float64)
        assert (row["customers"], row["buyers"]) == (300, int((test.count > 0).sum()))
        expected = {
            "auc": auc(test.inactive, inactive),
            "value_gini": normalised_gini(test.expected_value, test.value),
            "brier": np.mean((test.inactive - inactive) ** 2),
            "count_bias": test.expected_count.sum() / test.count.sum(),
            "value_bias": test.expected_value.sum() / test.value.sum(),
            "count_mae": np.mean(np.abs(test.expected_count - test.count)),
            "value_mae": np.mean(np.abs(test.expected_value - test.value)),
        }
        assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=1e-6)
        for name in expected:
            assert figures[f"{name}_low"] < figures[name] < figures[f"{name}_high"]
    assert shown.cutoffs[0]["figures"] != shown.cutoffs[1]["figures"]


def test_gains_are_the_shares_of_the_highest_ranked_by_the_score_and_by_the_rule() -> None:
    shown = evidence_of(two(), RULES, 90, PARAMS)
    assert [row["tenth"] for row in shown.gains] == list(range(1, 11))
    for row in shown.gains:
        share = row["tenth"] / 10
        of_value = [top_share(test.expected_value, test.value, share) for test in two()]
        by_rule = [top_share(test.rules["past_value"], test.value, share) for test in two()]
        buyers = [top_share(1 - test.inactive, (test.count > 0).astype(np.float64), share) for test in two()]
        assert row["value"] == pytest.approx(np.mean(of_value), abs=1e-6)
        assert row["value_rule"] == pytest.approx(np.mean(by_rule), abs=1e-6)
        assert row["buyers"] == pytest.approx(np.mean(buyers), abs=1e-6)
    assert shown.gains[-1]["value"] == shown.gains[-1]["buyers_rule"] == 1
    # Nobody bought, so there is nothing to find; the rest is told all the same.
    nobody = replace(two()[0], count=np.zeros(300), value=np.zeros(300))
    told = evidence_of([nobody], RULES, 90, PARAMS)
    assert told.gains == ()
    assert told.cutoffs[0]["figures"]["count_bias"] is None
    assert [getattr(evidence_of([], {}, 90, PARAMS), part) for part in PARTS] == [(), (), (), ()]


def test_segments_tell_where_the_score_is_off_and_hold_every_row_once_by_each_division() -> None:
    shown = evidence_of(two(), RULES, 90, PARAMS)
    for by in ("purchase_days", "recency", "past_value"):
        assert sum(row["rows"] for row in shown.segments if row["by"] == by) == 600
    found = {row["segment"]: row for row in shown.segments if row["by"] == "purchase_days"}
    assert list(found) == ["1", "2-3", "4-7", "8+"]
    tests = two()
    many = [test.rules["frequency"] >= 8 for test in tests]
    sums = [
        sum(getattr(test, name)[rows].sum() for test, rows in zip(tests, many, strict=True))
        for name in ("expected_value", "value")
    ]
    assert found["8+"]["value_bias"] == pytest.approx(sums[0] / sums[1], abs=1e-6)
    assert found["8+"]["value_bias"] < 0.6
    assert found["4-7"]["value_bias"] > 0.8
    assert found["8+"]["rows"] == sum(rows.sum() for rows in many)


def test_a_model_of_a_day_holds_its_evidence_and_one_of_before_there_was_any_keeps_its_bytes() -> None:
    bought, day = purchases(150), CUTOFF.replace(day=30, month=6)
    parts = [features_of(bought, cutoff).assign(cutoff_date=cutoff) for cutoff in cutoffs(day, PARAMS)]
    panel = pd.concat([part for part in parts if len(part)])
    trained = learn(panel, day, datetime(2024, 7, 1, tzinfo=UTC), PARAMS)
    assert trained.evidence is not None
    (shown,) = trained.evidence
    grade = trained.grade_of(HORIZON)
    assert grade is not None
    assert [row["cutoff"] for row in shown.cutoffs] == list(grade.cutoffs)
    assert evidence_of_mapping(json.loads(json.dumps(asdict(shown)))) == shown
    again = TrainedModel.from_json(trained.to_json())
    assert again.to_json() == trained.to_json()
    assert again.evidence == trained.evidence
    without = replace(trained, evidence=None)
    assert '"evidence"' not in without.to_json()
    assert TrainedModel.from_json(without.to_json()) == without
    # The mean of the cut-offs is what the grade tells.
    assert np.mean([row["figures"]["auc"] for row in shown.cutoffs]) == pytest.approx(grade.figures["auc"], abs=1e-5)
    assert not any(customer in trained.to_json() for customer in panel["customer_id"].unique())
