"""Promises of the curve within a horizon: it spreads the champion's chance as the past did, agrees with it, yields."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd
import pytest

from benchmarks.score_features import features_of, outcomes_of
from ml.challenge import challenged, champion_cutoffs, curved
from ml.curve import PARTS, days_within, learned_curve, mean_wait, shares_of
from ml.evaluate import backtest
from ml.features import NEXT, checked_features
from ml.params import load_params
from ml.score import outlook, purchase_days_at, score
from ml.train import BaseModel, fit

START, CUTOFF, HORIZON = date(2024, 1, 1), date(2025, 3, 3), 56
PARAMS = replace(load_params(), horizons=(HORIZON,))


@cache
def bought() -> duckdb.DuckDBPyConnection:
    """Customers who come back after the same days, give or take two, until one day they stop. A fixed seed."""
    random, rows = np.random.default_rng(11), list[tuple[str, int, float]]()
    for nth in range(500):
        gap, first, last = random.integers(15, 80), random.integers(0, 90), random.integers(200, 900)
        days = np.unique(np.arange(first, 520, gap) + random.integers(-2, 3, len(np.arange(first, 520, gap))))
        rows += [(f"c{nth:03}", int(day), float(random.integers(10, 200))) for day in days if 0 <= day < last]
    connection = duckdb.connect()
    connection.register("rows", pd.DataFrame(rows, columns=["customer_id", "day", "amount"]))
    connection.execute(
        f"create table purchases as select customer_id, date '{START}' + cast(day as integer) as purchase_date, "
        "cast(amount as decimal(18, 4)) as net_amount, cast(amount / 2 as decimal(18, 4)) as cost_amount from rows"
    )
    return connection


@cache
def known() -> dict[date, pd.DataFrame]:
    features = features_of(bought(), champion_cutoffs(CUTOFF, HORIZON, PARAMS), "select customer_id from purchases")
    dates = features["cutoff_date"].dt.date
    return {cutoff: features[dates == cutoff] for cutoff in champion_cutoffs(CUTOFF, HORIZON, PARAMS)}


@cache
def models() -> tuple[BaseModel, BaseModel]:
    """With the curve, and without."""
    plain = challenged(fit(known()[CUTOFF], CUTOFF, PARAMS), known(), HORIZON)
    return curved(plain, known(), HORIZON), plain


def test_shares_are_those_of_the_past_for_who_looks_like_it() -> None:
    """Two kinds of customers, one that comes early and one late: 4,000 each, so .03 is four standard errors."""
    random = np.random.default_rng(1)
    kind = np.repeat([0.0, 1.0], 4_000)
    days = np.where(kind == 0, random.integers(0, 20, 8_000), random.integers(20, 40, 8_000)).astype(np.float64)
    days[random.random(8_000) < 0.4] = np.nan
    curve = learned_curve(kind[:, None] + random.normal(0, 0.01, (8_000, 1)), days, 40, 1.0)
    assert curve is not None
    shares = shares_of(curve, np.array([[0.0], [1.0]]))
    assert shares[0] == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1], abs=0.03)
    assert shares[1] == pytest.approx([0, 0, 0, 0, 0.25, 0.5, 0.75, 1], abs=0.03)
    # Half of a chance of .6 has come on the tenth day, or the thirtieth.
    half = days_within(shares, 40, np.full(2, 0.6), 0.3, np.full(2, np.nan))
    assert half == pytest.approx([10, 30], abs=1)
    # Who comes does so after 10 or 30 days in the mean, four of ten wait for all forty.
    assert mean_wait(shares, 40, np.full(2, 0.6)) == pytest.approx([22, 34], abs=1)
    days[days < 5] = np.nan
    assert learned_curve(kind[:, None], days, 40, 1.0) is None


def test_inactivity_and_the_dates_are_one_curve() -> None:
    """P(inactive) = 1 - F(horizon): the days until F is the chance of the horizon are the horizon, days rise with the
    chance asked for, and a date lies within exactly when the score says so."""
    model, plain = models()
    frame = checked_features(known()[CUTOFF], CUTOFF)
    looks = outlook(known()[CUTOFF], model, CUTOFF, HORIZON)
    inactive, _, _ = looks.expects(frame, slice(None))
    clear = (inactive > 0.01) & (inactive < 0.99)
    assert clear.sum() > 50
    at = [
        purchase_days_at(frame, model, CUTOFF, HORIZON, quantile=(1 - inactive) * share, longest=1e6)[clear]
        for share in (0.1, 0.4, 0.7, 1.0, 1.001)
    ]
    assert at[3] == pytest.approx(np.full(clear.sum(), HORIZON), rel=1e-9)
    # Past the horizon the base's curve goes on, from where the two meet.
    assert all((later >= sooner - 1e-6).all() for sooner, later in pairwise(at))
    assert (at[4] > HORIZON).all()
    longer = purchase_days_at(frame, plain, CUTOFF, HORIZON, quantile=(1 - inactive) * 1.001, longest=1e6)[clear]
    assert (at[4] == longer).all()
    scored = score(known()[CUTOFF], model, CUTOFF, [HORIZON])
    for name, quantile in (("next_purchase_p10_date", 0.1), ("next_purchase_p50_date", 0.5)):
        within = scored[name] < pd.Timestamp(CUTOFF + timedelta(days=HORIZON))
        assert (within == (scored["inactive_probability"] <= 1 - quantile)).all()
        assert 0 < within.sum() < len(scored)
    dates = scored[["next_purchase_p10_date", "next_purchase_p50_date", "next_purchase_p90_date"]]
    assert (dates.dropna().T.diff().iloc[1:] >= pd.Timedelta(0)).all(axis=None)


def test_whose_gaps_are_alike_is_expected_nearer_to_the_day_than_by_the_base_alone() -> None:
    """The base holds all days equal but for the growing doubt; nothing else of a score changes by the curve."""
    outcomes = outcomes_of(bought(), CUTOFF, HORIZON)
    ours, without = (backtest(known()[CUTOFF], outcomes, one, HORIZON)[0] for one in models())
    assert ours["next_date_mae_days"] < 0.8 * without["next_date_mae_days"]
    assert ours["next_date_concordance"] > without["next_date_concordance"]
    same = [name for name in ours if not name.startswith("next_date")]
    assert [ours[name] for name in same] == [without[name] for name in same]


def test_a_curve_comes_back_from_its_json_and_a_model_without_one_keeps_its_bytes() -> None:
    model, plain = models()
    champion = model.champion_of(HORIZON)
    assert champion is not None
    assert champion.curve is not None
    assert len(champion.curve) == PARTS
    assert BaseModel.from_json(model.to_json()) == model
    assert BaseModel.from_json(plain.to_json()) == plain
    assert "curve" not in plain.to_json()
    document = json.loads(model.to_json())
    del document["champions"][0]["curve"]
    assert json.dumps(document, sort_keys=True, separators=(",", ":")) == plain.to_json()


def test_where_nobody_says_when_the_next_purchase_came_the_base_says_it() -> None:
    _, plain = models()
    untold = {cutoff: frame.drop(columns=NEXT) for cutoff, frame in known().items()}
    assert curved(plain, untold, HORIZON) == plain
    base = replace(plain, champions=())
    assert curved(base, known(), HORIZON) == base


def test_the_next_purchase_is_the_first_from_the_cut_off_on_and_none_is_told_of_the_newest() -> None:
    for cutoff, frame in known().items():
        came = outcomes_of(bought(), cutoff, (CUTOFF - cutoff).days).set_index("customer_id")["first_purchase_date"]
        told = frame.set_index("customer_id")[NEXT]
        assert told.astype("datetime64[s]").equals(came.astype("datetime64[s]").reindex(told.index))
    assert known()[CUTOFF][NEXT].isna().all()
