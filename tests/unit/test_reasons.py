"""Promises of reasons: they sum to the score, by groups that move together; a rung without a sum is given none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from math import exp, log, prod
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_champion import CUTOFF, HORIZON, PARAMS, known_at, purchases

from ml.challenge import challenged
from ml.champion import INPUT_GROUPS, inputs_of
from ml.features import checked_features
from ml.learn import withheld
from ml.reasons import COLUMNS, FACTORS, SCORES, reasons
from ml.score import outlook, score
from ml.train import BaseModel, fit
from orchestration.release.score_words import RUNGS, scores_in_words


@pytest.fixture(scope="module")
def known() -> dict[date, pd.DataFrame]:
    return known_at(purchases())


@pytest.fixture(scope="module")
def model(known: dict[date, pd.DataFrame]) -> BaseModel:
    return challenged(fit(known[CUTOFF], CUTOFF, PARAMS), known, HORIZON)


def summed(told: pd.DataFrame, name: str) -> Any:
    """By customer, in the order of their ids."""
    return told[told["score_name"] == name].groupby("customer_id")["contribution"].sum()


def test_reasons_of_every_customer_sum_to_the_score_on_its_own_scale(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    told, champion = reasons(known[CUTOFF], model, CUTOFF, [HORIZON]), model.champion_of(HORIZON)
    assert champion is not None
    looks = outlook(known[CUTOFF], model, CUTOFF, HORIZON)
    frame = checked_features(known[CUTOFF], CUTOFF)
    inputs = inputs_of(frame, looks.history, looks.by_base(frame, slice(None)))
    log_odds = -(champion.activity.linear(inputs) + champion.level.activity)
    assert np.abs(summed(told, "inactive_probability") - log_odds).max() < 1e-9
    inside = np.minimum(champion.value.linear(inputs), log(champion.value_cap / champion.value_unit))
    amount = inside + log(champion.value_unit) + champion.level.value
    assert np.abs(summed(told, "expected_net_amount") - amount).max() < 1e-9
    # And so to what is published.
    scored = score(known[CUTOFF], model, CUTOFF, [HORIZON])
    assert list((1 / (1 + np.exp(-summed(told, "inactive_probability")))).round(6)) == list(
        scored["inactive_probability"]
    )
    assert np.exp(summed(told, "expected_net_amount")).to_numpy() == pytest.approx(
        scored["expected_net_amount"].to_numpy(), abs=1e-4
    )


def test_no_input_is_told_by_itself(model: BaseModel, known: dict[date, pd.DataFrame]) -> None:
    assert set(FACTORS) == set(INPUT_GROUPS.values())
    assert min(Counter(FACTORS[group] for group in INPUT_GROUPS.values()).values()) >= 2
    told = reasons(known[CUTOFF], model, CUTOFF, [HORIZON])
    for name in SCORES:
        own = told[told["score_name"] == name]
        assert set(own["factor"]) - {"limit"} == {"base", *FACTORS.values(), "level"}
        assert not own.duplicated(["customer_id", "factor"]).any()


def test_what_the_most_ever_seen_takes_off_is_told(model: BaseModel, known: dict[date, pd.DataFrame]) -> None:
    champion = model.champion_of(HORIZON)
    assert champion is not None
    capped = replace(model, champions=(replace(champion, value_cap=champion.value_unit),))
    told = reasons(known[CUTOFF], capped, CUTOFF, [HORIZON])
    limits = told[told["factor"] == "limit"]
    assert 0 < len(limits) < len(known[CUTOFF])
    assert (limits["contribution"] < 0).all()
    assert set(limits["score_name"]) == {"expected_net_amount"}
    most = log(champion.value_unit) + champion.level.value
    assert summed(told, "expected_net_amount")[limits["customer_id"]].to_numpy() == pytest.approx(most, abs=1e-9)


def test_a_rung_below_is_named_and_given_no_contributions(model: BaseModel, known: dict[date, pd.DataFrame]) -> None:
    features = known[CUTOFF]
    cells = withheld(model, features, known[date(2024, 4, 2)], HORIZON)
    lower = {"btyd": replace(model, champions=()), "rfm_cells": cells}
    lower["global_rate"] = fit(features.head(10), CUTOFF, PARAMS)
    for rung, below in lower.items():
        told = reasons(features.head(10), below, CUTOFF, [HORIZON])
        assert list(told.columns) == list(COLUMNS)
        assert len(told) == 10 * len(SCORES)
        assert set(told["factor"]) == {rung}
        assert told["contribution"].isna().all()
        assert told["cell"].notna().all() == (rung == "rfm_cells")
    nobody = fit(features.head(0), CUTOFF, PARAMS)
    assert len(reasons(features.head(0), nobody, CUTOFF, [HORIZON])) == 0


def test_the_cell_that_is_named_holds_the_customer(model: BaseModel, known: dict[date, pd.DataFrame]) -> None:
    features = checked_features(known[CUTOFF], CUTOFF)
    told = reasons(features, withheld(model, features, known[date(2024, 4, 2)], HORIZON), CUTOFF, [HORIZON])
    cells = told[told["score_name"] == "inactive_probability"].set_index("customer_id")["cell"]
    parts = [set(bounds) for bounds in zip(*(cell.split("/") for cell in cells), strict=True)]
    assert parts == [{"0-27", "28-90", "91-181", "182+"}, {"1", "2-3", "4-7", "8+"}]
    for row in features.itertuples():
        silent = (pd.Timestamp(CUTOFF) - row.last_purchase_date).days
        for figure, bounds in zip((silent, row.purchase_days), cells[row.customer_id].split("/"), strict=True):
            low, _, high = bounds.rstrip("+").partition("-")
            assert int(low) <= figure <= (figure if bounds.endswith("+") else int(high or low))


SCORED = {"horizon_days": 90, "inactive_probability": 0.5, "expected_net_amount": 800, "model_version": "m"}


def reason(factor: str, contribution: float | None, figure: float | None = None, **others: Any) -> dict[str, Any]:
    told = {"horizon_days": 90, "score_name": "inactive_probability", "factor": factor, "figure": figure, "cell": None}
    return told | {"contribution": contribution} | others


def test_words_name_each_group_with_what_it_multiplies_and_the_average_they_start_from() -> None:
    parts = {"base": log(0.25), "silence": log(8), "buying_rhythm": log(0.5), "level": 0.0}
    figures = {"silence": 61, "buying_rhythm": 0.29}
    told = [
        reason(factor, part + (log(1600) if is_amount and factor == "base" else 0), figures.get(factor), **named)
        for is_amount, name in enumerate(SCORES)
        for factor, part in parts.items()
        for named in [{"score_name": name}]
    ]
    row = SCORED | {"rung": "champion", "model_grade": "B"}
    said = scores_in_words([row], told, "en")
    assert prod(exp(part) for part in parts.values()) == pytest.approx(1)
    assert said[1] == "Grade B: the model beats every simple rule; not all else is shown."
    assert said[2] == (
        "Why 50.0 %: a customer of average figures has 20.0 %; the odds change by × 8.00 for its silence, by its own "
        "gaps and history (61 days since the last purchase), × 0.50 for its buying rhythm (29.0 % by that alone), "
        "× 1.00 for the season's level."
    )
    assert said[3].startswith("Why 800.00: a customer of average figures has 400.00; it changes by × 8.00")
    assert "购买节奏 × 0.50（仅凭此 29.0 %）" in scores_in_words([row], told, "zh")[2]


def test_words_of_a_rung_below_say_which_and_that_nothing_adds_to_it() -> None:
    row = SCORED | {"rung": "rfm_cells", "model_grade": "C"}
    told = [reason("rfm_cells", None, cell="28-90/2-3", score_name=name) for name in SCORES]
    _, grade, why = scores_in_words([row], told, "en")
    assert grade == "Grade C: no model is shown to beat a simple rule."
    assert "last purchase 28-90 days ago on 2-3 purchase days" in why
    assert why.endswith("No model adds to it.")
    assert "×" not in scores_in_words([row], told, "zh")[2].replace("最近购买×购买次数", "")
    for rung in RUNGS:
        plain = scores_in_words([SCORED | {"rung": rung, "model_grade": None}], [reason(rung, None)], "en")
        assert len(plain) == 2
        assert plain[1].startswith("Why: ")
    # A C without customers enough for a rule in its place is told as what it is.
    unheld = SCORED | {"rung": "btyd", "model_grade": "C"}
    assert scores_in_words([unheld], [reason("btyd", None)], "en")[1].endswith("do not rely on it.")
    # A release from before reasons were told says what it always said.
    assert len(scores_in_words([row], [], "en")) == 1
