"""Promises of several horizons: learned apart, they say nothing that another one contradicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from test_champion import CUTOFF, PARAMS, features_of, purchases

from ml.challenge import challenged, champion_cutoffs
from ml.features import checked_features
from ml.learn import withheld
from ml.reasons import reasons
from ml.rungs import RUNGS
from ml.score import outlooks, score
from ml.train import BaseModel, fit

HORIZONS = (28, 90, 180)
assert PARAMS.champion is not None
SEVERAL = replace(PARAMS, horizons=HORIZONS, champion=replace(PARAMS.champion, max_cutoffs=2))
RISING = {"inactive_probability": -1, "expected_purchase_count": 1, "expected_net_amount": 1}


@pytest.fixture(scope="module")
def known() -> dict[date, pd.DataFrame]:
    days = {CUTOFF - timedelta(days=days) for days in (28, 180)}
    for horizon in HORIZONS:
        days |= champion_cutoffs(CUTOFF, horizon, SEVERAL)
    return {day: features_of(purchases(), day) for day in days}


@pytest.fixture(scope="module")
def model(known: dict[date, pd.DataFrame]) -> BaseModel:
    """A champion of each horizon."""
    found = fit(known[CUTOFF], CUTOFF, SEVERAL)
    for horizon in HORIZONS:
        found = challenged(found, known, horizon)
    return found


def on_rungs(model: BaseModel, known: dict[date, pd.DataFrame], *speaking: str) -> BaseModel:
    """The model with these rungs, from the shortest horizon to the longest."""
    champions = model.champions or ()
    kept = tuple(one for one, rung in zip(champions, speaking, strict=True) if rung != "btyd")
    found = replace(model, champions=kept)
    for horizon, rung in zip(HORIZONS, speaking, strict=True):
        if rung == "rfm_cells":
            found = withheld(found, known[CUTOFF], known[CUTOFF - timedelta(days=horizon)], horizon)
    assert tuple(found.rung_of(horizon) for horizon in HORIZONS) == speaking
    return found


@pytest.mark.parametrize(
    "speaking",
    [
        ("champion", "champion", "champion"),
        ("champion", "champion", "rfm_cells"),
        ("champion", "rfm_cells", "champion"),
        ("rfm_cells", "champion", "btyd"),
        ("champion", "btyd", "btyd"),
    ],
)
def test_nobody_is_likelier_to_come_within_fewer_days_whatever_rungs_speak(
    model: BaseModel, known: dict[date, pd.DataFrame], speaking: tuple[str, ...]
) -> None:
    scored = score(known[CUTOFF], on_rungs(model, known, *speaking), CUTOFF, HORIZONS)
    for name, sign in RISING.items():
        by_horizon = scored.pivot(index="customer_id", columns="horizon_days", values=name)
        assert (sign * by_horizon.diff(axis=1).dropna(axis=1) >= 0).all(axis=None), name


def test_only_who_crosses_is_moved_and_to_the_shorter_horizon(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    mixed, frame = on_rungs(model, known, "champion", "champion", "rfm_cells"), checked_features(known[CUTOFF], CUTOFF)
    looks = outlooks(frame, mixed, CUTOFF, HORIZONS)
    (alone, *_), (said, *_), (shorter, *_) = (
        looks[180].alone(frame, slice(None)),
        looks[180].expects(frame, slice(None)),
        looks[90].expects(frame, slice(None)),
    )
    crossing = alone > shorter
    assert 0 < crossing.sum() < len(frame)
    assert np.array_equal(said, np.where(crossing, shorter, alone))
    assert looks[28].shorter is None


def test_a_horizon_asked_for_alone_is_told_the_same(model: BaseModel, known: dict[date, pd.DataFrame]) -> None:
    mixed = on_rungs(model, known, "champion", "btyd", "rfm_cells")
    together = score(known[CUTOFF], mixed, CUTOFF, HORIZONS)
    for horizon in HORIZONS:
        own = together[together["horizon_days"] == horizon].reset_index(drop=True)
        pd.testing.assert_frame_equal(score(known[CUTOFF], mixed, CUTOFF, [horizon]), own)


def test_what_a_shorter_horizon_says_is_a_reason_and_the_sum_leads_to_the_score(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    mixed = on_rungs(model, known, "rfm_cells", "champion", "champion")
    told, scored = (of(known[CUTOFF], mixed, CUTOFF, HORIZONS) for of in (reasons, score))
    told, scored = (frame[frame["horizon_days"] == 90] for frame in (told, scored))
    assert "shorter_horizon" in set(told["factor"])
    sums = told.groupby(["score_name", "customer_id"])["contribution"].sum()
    probability = 1 / (1 + np.exp(-sums["inactive_probability"].to_numpy()))
    assert probability == pytest.approx(scored["inactive_probability"].to_numpy(), abs=1e-6)
    amount = np.exp(sums["expected_net_amount"].to_numpy())
    assert amount == pytest.approx(scored["expected_net_amount"].to_numpy(), abs=1e-4, rel=1e-9)


def test_below_the_champion_a_score_that_follows_a_shorter_horizon_says_so(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    mixed = on_rungs(model, known, "champion", "champion", "rfm_cells")
    told = reasons(known[CUTOFF], mixed, CUTOFF, HORIZONS)
    told = told[(told["horizon_days"] == 180) & (told["score_name"] == "inactive_probability")]
    assert set(told["factor"]) == {"rfm_cells", "shorter_horizon"}
    assert (told["factor"] == "rfm_cells").sum() == len(known[CUTOFF])
    assert told["contribution"].isna().all()


def test_a_horizon_longer_than_the_history_stands_on_a_lower_rung_alone(known: dict[date, pd.DataFrame]) -> None:
    """Too few repeat purchases for a base, and nobody 180 days before: the other horizons have their cells."""
    some = replace(SEVERAL, base_min_repeaters=10_000)
    past = {28: known[CUTOFF - timedelta(days=28)], 90: known[CUTOFF - timedelta(days=90)], 180: known[CUTOFF].head(0)}
    model = fit(known[CUTOFF], CUTOFF, some, past)
    assert [model.rung_of(horizon) for horizon in HORIZONS] == ["rfm_cells", "rfm_cells", "global_rate"]
    assert "history is too short: 0 customers 180 days before, expected 20" in model.reason
    assert BaseModel.from_json(model.to_json()) == model
    scored = score(known[CUTOFF], model, CUTOFF, HORIZONS)
    assert scored.groupby("horizon_days")["rung"].unique().map(list).to_dict() == {
        28: ["rfm_cells"],
        90: ["rfm_cells"],
        180: ["global_rate"],
    }
    assert set(scored["rung"]) <= set(RUNGS)
