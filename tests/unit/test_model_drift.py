"""Promises of drift: its figures are those of a hand, what is planted is told, and nothing is told of the same day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import log

import duckdb
import numpy as np
import pandas as pd
import pytest

from data_quality.model_drift import model_drift_rules
from ml.champion import INPUT_GROUPS
from ml.drift import SCORE, Realised, drifted, load_drift_params, psi, realised, references
from ml.grade import Judged
from ml.params import load_params
from ml.train import BaseModel, fit
from orchestration.warehouse_tables import ML_TABLES

CUTOFF, SIZE = date(2025, 7, 1), 600
HORIZON = 90
PARAMS, GIVEN = replace(load_params(), horizons=(HORIZON,)), load_drift_params()


def features(cutoff: date = CUTOFF, *, times: float = 1.0, seed: int = 4) -> pd.DataFrame:
    """Customers of four years, who bought some days for amounts multiplied by ``times``. Fixed seed."""
    random = np.random.default_rng(seed)
    days, age = random.geometric(0.3, SIZE), random.integers(200, 1400, SIZE)
    recency = np.where(days > 1, (age * random.random(SIZE)).astype(int) + days, 0)
    age = np.maximum(age, recency + 1)
    amount = times * random.gamma(2.0, 50.0, SIZE)
    first = pd.Timestamp(cutoff) - pd.to_timedelta(age, unit="D")
    return pd.DataFrame(
        {
            "customer_id": [f"c{nth:04}" for nth in range(SIZE)],
            "first_purchase_date": first,
            "last_purchase_date": first + pd.to_timedelta(recency, unit="D"),
            "purchase_days": days,
            "net_amount": amount * days,
            "mean_day_amount": amount,
            "newest_days_amount": amount,
            "purchase_days_28d": 0,
            "purchase_days_91d": 0,
            "net_amount_28d": 0.0,
            "net_amount_91d": 0.0,
            "margin_amount": 0.0,
            "costed_net_amount": 0.0,
        }
    )


@pytest.fixture(scope="module")
def model() -> BaseModel:
    return fit(features(), CUTOFF, PARAMS)


def test_the_index_is_that_of_a_hand() -> None:
    # Eight and two of ten then, five and five now, half a customer more in each bin.
    by_hand = (5.5 - 8.5) / 11 * log(5.5 / 8.5) + (5.5 - 2.5) / 11 * log(5.5 / 2.5)
    assert psi((8, 2), (5, 5)) == pytest.approx(by_hand, abs=5e-7)
    assert psi((80, 20), (8_000, 2_000)) == pytest.approx(0.0, abs=1e-3)
    assert psi((8, 2), (8, 2)) == 0.0
    assert psi((10, 0), (10, 0)) == 0.0
    assert np.isfinite(psi((10, 0), (0, 10)))


def test_bins_hold_as_many_customers_as_their_values_allow(model: BaseModel) -> None:
    kept = {one.measure: one for one in references(model, features(), GIVEN)}
    assert set(kept) == {*INPUT_GROUPS, SCORE}
    assert {sum(one.customers) for one in kept.values()} == {SIZE}
    assert kept["mean_day_amount"].customers == (SIZE // GIVEN.bins,) * GIVEN.bins
    # What is the same for all is one bin; few different values make fewer bins.
    assert kept["purchase_days_28d"].customers == (0, SIZE)
    assert len(kept["purchase_days"].customers) < GIVEN.bins
    for one in kept.values():
        assert len(one.edges) + 1 == len(one.customers)


def test_nothing_drifts_on_the_day_itself_and_next_to_nothing_in_a_day(model: BaseModel) -> None:
    kept = references(model, features(), GIVEN)
    same = drifted(model, kept, features().sample(frac=1, random_state=1), CUTOFF, GIVEN)
    assert len(same) == len(kept)
    assert set(same.values()) == {0.0}
    tomorrow = drifted(model, kept, features(), CUTOFF + timedelta(days=1), GIVEN)
    assert 0 < max(tomorrow.values()) < GIVEN.warn_psi


def test_planted_drift_is_told_where_it_was_planted(model: BaseModel) -> None:
    kept = references(model, features(), GIVEN)
    found = drifted(model, kept, features(times=2.0), CUTOFF, GIVEN)
    drifting = {measure for (_, measure), value in found.items() if value > GIVEN.alarm_psi}
    assert drifting == {"mean_day_amount", "newest_days_amount"}
    # What the base expects in money moves with them; nothing else moves at all.
    moved = {measure for (_, measure), value in found.items() if value}
    assert moved == {*drifting, "base_value"}


def test_too_few_customers_then_or_now_are_not_judged(model: BaseModel) -> None:
    kept, few = references(model, features(), GIVEN), GIVEN.min_customers - 1
    assert drifted(model, kept, features().head(few), CUTOFF, GIVEN) == {}
    assert drifted(model, kept, features().head(few + 1), CUTOFF, GIVEN)
    assert drifted(model, references(model, features().head(few), GIVEN), features(), CUTOFF, GIVEN) == {}
    assert drifted(model, (), features(), CUTOFF, GIVEN) == {}


def test_a_model_without_a_base_has_no_inputs_of_it(model: BaseModel) -> None:
    without = replace(model, btyd=None, rung="global_rate")
    told = {one.measure for one in references(without, features(), GIVEN)}
    assert told == {*INPUT_GROUPS, SCORE} - {"base_activity", "base_count", "base_value"}
    assert references(replace(without, rung="none"), features().head(0), GIVEN) == ()


def test_what_was_predicted_is_summed_beside_what_came() -> None:
    count = np.array([0.0, 2.0, 1.0])
    judged = Judged(
        CUTOFF, "btyd", ("a", "b", "c"), np.array([0.5, 0.25, 0.25]), count * 0 + 1.5, count * 40, count, count * 50, {}
    )
    found = realised(judged, HORIZON, "v")
    assert found.ratios() == {"buyers": 1.0, "count": 1.5, "value": 0.8}
    assert found.off() == {"buyers": 0.0, "count": pytest.approx(log(1.5)), "value": pytest.approx(log(1.25))}
    nobody = Realised(HORIZON, str(CUTOFF), "v", {"buyers": 1.0, "count": 0.0}, {"buyers": 0.0, "count": 1.0})
    assert nobody.off() == {}


def test_figures_past_their_limit_warn_and_never_block() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema ml")
        connection.execute(f"create table ml.drifts ({ML_TABLES['drifts']})")
        connection.execute(
            """
            insert into ml.drifts values
                (90, 'v', 'input', 'silent_days', '2025-06-30', null, 0.3, 0.1, 'alarm'),
                (90, 'v', 'input', 'purchase_days', '2025-06-30', null, 0.1, 0.1, 'steady'),
                (90, 'v', 'score', 'inactive_probability', '2025-06-30', null, 0.02, 0.1, 'steady'),
                (90, 'v', 'realised', 'value', '2025-04-01', 1.5, 0.405465, 0.2, 'warn')
            """
        )
        rules = {rule.measure: rule for rule in model_drift_rules(connection)}
        broken = {
            name: connection.execute(rule.violations("ml.drifts")).fetchall() != [] for name, rule in rules.items()
        }
    assert broken == {
        "drift_of_model_inputs": True,
        "drift_of_model_scores": False,
        "predictions_beside_what_came": True,
    }
    assert {rule.severity for rule in rules.values()} == {"warning"}
    told = rules["drift_of_model_inputs"].observe(1, {})
    assert told == "silent_days: alarm, beside the training day 2025-06-30 (0.300000)"
    assert rules["predictions_beside_what_came"].observe(1, {}) == (
        "value of 90 days from 2025-04-01: predicted 1.50 times what came, by model v (0.405465)"
    )
    assert rules["drift_of_model_scores"].maximum == Decimal("0.1")
    assert {rule.name for rule in model_drift_rules()} == {rule.name for rule in rules.values()}
