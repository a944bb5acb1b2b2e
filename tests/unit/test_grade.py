"""Promises of the grade: noise gets a C, what is known gets an A, and what is missed is said."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from ml.evaluate import auc, normalised_gini
from ml.grade import REASONS, Grade, Judged, grade_of, graded_cutoffs
from ml.learn import TrainedModel, cutoffs, learn
from ml.params import GradeParams, Params, load_params
from ml.score import score

DAY, KNOWN, DAYS = date(2025, 6, 30), datetime(2025, 6, 30, 16, tzinfo=UTC), 540
HORIZON = 90
PARAMS = replace(load_params(), horizons=(HORIZON,))
OWN = DAY + timedelta(days=1)
SIZE = 3_000
assert PARAMS.champion is not None
# Champions of fewer past cut-offs: quicker, and no more able to find something in noise.
QUICK = replace(PARAMS, champion=replace(PARAMS.champion, max_cutoffs=3))


def given() -> GradeParams:
    assert PARAMS.grade is not None
    return PARAMS.grade


def panel(days: list[np.ndarray], amounts: list[np.ndarray], params: Params = QUICK) -> pd.DataFrame:
    """Features as of each cut-off of DAY; ``days``: of purchases of each customer, counted up to the cut-off of DAY."""
    start, parts = pd.Timestamp(OWN - timedelta(days=DAYS)), []
    for cutoff in cutoffs(DAY, params):
        since, rows = (pd.Timestamp(cutoff) - start).days, []
        for nth, (bought, amount) in enumerate(zip(days, amounts, strict=True)):
            before, of = bought[bought < since], amount[bought < since]
            if not len(before):
                continue
            recent = [(before >= since - window, window) for window in (28, 91)]
            rows.append(
                {"customer_id": f"c{nth:04}", "cutoff_date": pd.Timestamp(cutoff)}
                | {"first_purchase_date": start + pd.Timedelta(days=int(before[0]))}
                | {"last_purchase_date": start + pd.Timedelta(days=int(before[-1]))}
                | {"purchase_days": len(before), "net_amount": of.sum(), "mean_day_amount": of.mean()}
                | {"margin_amount": 0.0, "costed_net_amount": 0.0, "newest_days_amount": of[-3:].mean()}
                | {f"purchase_days_{window}d": int(late.sum()) for late, window in recent}
                | {f"net_amount_{window}d": float(of[late].sum()) for late, window in recent}
            )
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def noise(seed: int, customers: int = 240) -> pd.DataFrame:
    """All customers buy at one rate and for amounts of one kind, so that no past tells anything."""
    random = np.random.default_rng(seed)
    days = [np.flatnonzero(random.random(DAYS) < 0.01) for _ in range(customers)]
    return panel(days, [random.gamma(2.0, 50.0, len(bought)) for bought in days])


def test_pure_noise_gets_a_c_in_at_least_95_of_100_sets() -> None:
    """Ten sets; with PROVE=1 a hundred."""
    sets = 100 if os.environ.get("PROVE") else 10
    grades = [learn(noise(seed), DAY, KNOWN, QUICK).grades for seed in range(sets)]
    found = [one.grade for grade in grades for one in grade or ()]
    assert len(found) == sets
    assert found.count("C") >= 0.95 * sets


def one_day(random: np.random.Generator, *, cutoff: date, knows: float, scale: float) -> Judged:
    """Customers whose chances are known to the score in the share ``knows``, the rest being chance."""
    chance = random.beta(2.0, 2.0, SIZE)
    count = (random.random(SIZE) < chance).astype(np.float64)
    said = knows * chance + (1.0 - knows) * random.permutation(chance)
    rules = {name: random.random(SIZE) for name in ("recency", "frequency", "past_value", "rfm_sum")}
    customers = tuple(f"c{nth:04}" for nth in range(SIZE))
    value = count * random.gamma(4.0, 25.0, SIZE)
    return Judged(cutoff, "champion", customers, 1.0 - said, said * scale, 100.0 * said * scale, count, value, rules)


def graded(knows: float, cutoffs_of: int = 6, scale: float = 1.0) -> Grade:
    random = np.random.default_rng(3)
    days = graded_cutoffs(OWN, HORIZON, PARAMS)[:cutoffs_of]
    tests = [one_day(random, cutoff=cutoff, knows=knows, scale=scale) for cutoff in days]
    return grade_of(tests, HORIZON, "champion", PARAMS)


def test_a_score_that_knows_what_no_rule_knows_gets_an_a() -> None:
    grade = graded(1.0)
    assert (grade.grade, grade.reasons) == ("A", ())
    assert (grade.figures["auc_lift_low"] or 0.0) > 0
    assert grade.reason == "6 cut-offs: lift, calibration and stability hold"


@pytest.mark.parametrize(
    ("knows", "days", "scale", "letter", "missed"),
    [
        (1.0, 3, 1.0, "B", "few_cutoffs"),
        (1.0, 6, 1.3, "B", "count_bias"),
        (0.0, 6, 1.0, "C", "auc_no_lift"),
        (1.0, 0, 1.0, "C", "nothing_to_test"),
    ],
)
def test_what_is_missed_lowers_the_grade_and_is_said(
    knows: float, days: int, scale: float, letter: str, missed: str
) -> None:
    grade = graded(knows, days, scale)
    assert grade.grade == letter
    assert missed in grade.reasons
    assert REASONS[missed] in grade.reason


def test_auc_and_gini_of_all_customers_are_those_of_the_back_test() -> None:
    day = one_day(np.random.default_rng(8), cutoff=OWN, knows=0.5, scale=1.0)
    told = grade_of([day], HORIZON, "champion", PARAMS).figures
    assert told["auc"] == pytest.approx(auc(1.0 - day.inactive, (day.count > 0).astype(np.float64)), abs=1e-6)
    assert told["gini"] == pytest.approx(normalised_gini(day.expected_value, day.value), abs=1e-6)


def test_the_order_of_cut_offs_changes_nothing_and_a_large_company_is_judged_by_some_of_its_customers() -> None:
    random = np.random.default_rng(4)
    days = [one_day(random, cutoff=cutoff, knows=0.8, scale=1.0) for cutoff in graded_cutoffs(OWN, HORIZON, PARAMS)]
    assert (
        grade_of(days[::-1], HORIZON, "champion", PARAMS).figures == grade_of(days, HORIZON, "champion", PARAMS).figures
    )
    few = replace(PARAMS, grade=replace(given(), max_customers=100))
    some = grade_of(days, HORIZON, "champion", few).figures
    assert some["ece"] == grade_of(days, HORIZON, "champion", PARAMS).figures["ece"]
    assert some["auc"] != grade_of(days, HORIZON, "champion", PARAMS).figures["auc"]


@pytest.fixture(scope="module")
def of_noise() -> TrainedModel:
    return learn(noise(1), DAY, KNOWN, QUICK)


def test_a_c_withholds_the_scores_and_the_rule_speaks_and_says_so(of_noise: TrainedModel) -> None:
    model = of_noise.model
    assert model.withheld == (HORIZON,)
    assert model.rung_of(HORIZON) == "rfm_cells"
    assert model.reason.endswith("grade C: scores of 90 days are withheld, recency x frequency cells speak")
    features = noise(1).query("cutoff_date == @OWN").drop(columns="cutoff_date")
    scored = score(features, model, OWN, [HORIZON])
    assert set(scored["rung"]) == {"rfm_cells"}
    # Customers of one cell have one answer, and there is no curve to read a date from.
    assert scored["inactive_probability"].nunique() <= len(model.cells)
    assert scored["next_purchase_p50_date"].isna().all()
    (test,) = of_noise.backtests
    assert test.rung == "rfm_cells"


def test_a_graded_model_comes_back_byte_for_byte_and_one_of_before_has_no_grade(of_noise: TrainedModel) -> None:
    assert TrainedModel.from_json(of_noise.to_json()) == of_noise
    document = json.loads(of_noise.to_json())
    del document["grades"], document["model"]["withheld"], document["model"]["params"]["grade"]
    document["model"]["format"] = 2
    older = json.dumps(document, sort_keys=True, separators=(",", ":"))
    of_before = TrainedModel.from_json(older)
    assert of_before.grade_of(HORIZON) is None
    assert of_before.to_json() == older
    assert of_before.model.rung_of(HORIZON) == "champion"
