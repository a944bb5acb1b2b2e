"""Promises of the champion: it learns from the past alone, its curve and its reasons add up, it yields with reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from ml.btyd import p_no_purchase
from ml.challenge import challenged, champion_cutoffs
from ml.champion import RECENT, explained, inputs_of, next_days
from ml.features import FeaturesError, checked_features, history_of
from ml.glm import GlmRefused, fit_glm
from ml.params import load_params
from ml.score import base_expects, outlook, purchase_days_at, score
from ml.train import BaseModel, fit

START, CUTOFF, HORIZON = date(2023, 1, 1), date(2024, 7, 1), 90
PARAMS = replace(load_params(), horizons=(90,))


@cache
def purchases(customers: int = 700) -> pd.DataFrame:
    """Two years of purchase days; who is a regular stops one day. Fixed seed."""
    random, rows = np.random.default_rng(5), list[tuple[str, int, float]]()
    for nth in range(customers):
        gap, first, last = random.gamma(2.0, 25.0), random.integers(0, 400), random.integers(100, 1200)
        days = np.unique((first + np.cumsum(random.exponential(gap + 2.0, 200))).astype(int))
        rows += [(f"c{nth:04}", int(day), float(random.integers(10, 200))) for day in days if day < min(last, 730)]
    return pd.DataFrame(rows, columns=["customer_id", "day", "net_amount"])


def features_of(bought: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Features as of the cut-off, by pandas."""
    since = (cutoff - START).days
    before = bought[bought["day"] < since].sort_values(["customer_id", "day"])
    grouped = before.groupby("customer_id")
    newest = grouped["net_amount"].apply(lambda amounts: amounts.tail(3).mean())
    frame = pd.DataFrame(
        {
            "first_purchase_date": pd.Timestamp(START) + pd.to_timedelta(grouped["day"].min(), unit="D"),
            "last_purchase_date": pd.Timestamp(START) + pd.to_timedelta(grouped["day"].max(), unit="D"),
            "purchase_days": grouped.size(),
            "net_amount": grouped["net_amount"].sum(),
            "mean_day_amount": grouped["net_amount"].mean(),
            "newest_days_amount": newest if len(before) else 0.0,
        }
    )
    for days in (28, 91):
        recent = before[before["day"] >= since - days].groupby("customer_id")["net_amount"]
        frame[f"purchase_days_{days}d"] = recent.size().reindex(frame.index).fillna(0)
        frame[f"net_amount_{days}d"] = recent.sum().reindex(frame.index).fillna(0)
    frame["costed_net_amount"], frame["margin_amount"] = frame["net_amount"], frame["net_amount"] * 0.4
    return frame.reset_index()


def known_at(bought: pd.DataFrame, own: date = CUTOFF) -> dict[date, pd.DataFrame]:
    return {cutoff: features_of(bought, cutoff) for cutoff in champion_cutoffs(own, HORIZON, PARAMS)}


@pytest.fixture(scope="module")
def known() -> dict[date, pd.DataFrame]:
    return known_at(purchases())


@pytest.fixture(scope="module")
def model(known: dict[date, pd.DataFrame]) -> BaseModel:
    return challenged(fit(known[CUTOFF], CUTOFF, PARAMS), known, HORIZON)


def test_the_additive_models_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    inputs = random.normal(size=(3_000, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, 0]
    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    happened = (random.random(3_000) < 1 / (1 + np.exp(-scaled[:, 0] + 0.5))).astype(np.float64)
    count = random.poisson(np.exp(0.3 * scaled[:, 1] - 0.2 * scaled[:, 0])).astype(np.float64)
    chance = LogisticRegression(C=1.0, tol=1e-10, max_iter=1_000).fit(scaled, happened)
    rate = PoissonRegressor(alpha=1e-3, tol=1e-10, max_iter=1_000).fit(scaled, count)
    # Two ways to one minimum; scikit-learn stops at a gradient of 1e-10 a row.
    assert fit_glm("logit", inputs, happened, 1.0).linear(inputs) == pytest.approx(
        chance.decision_function(scaled), abs=1e-6
    )
    assert np.exp(fit_glm("log", inputs, count, 1e-3 * 3_000).linear(inputs)) == pytest.approx(
        rate.predict(scaled), rel=1e-6
    )
    with pytest.raises(GlmRefused, match="the mean outcome is 1, which leaves nothing to learn"):
        fit_glm("logit", inputs, np.ones(3_000), 1.0)
    with pytest.raises(GlmRefused, match="the mean outcome is 0, which leaves nothing to learn"):
        fit_glm("log", inputs, np.zeros(3_000), 1.0)


def test_a_champion_learns_from_cut_offs_whose_labels_have_ended(model: BaseModel) -> None:
    champion = model.champion_of(HORIZON)
    assert champion is not None
    cutoffs = [date.fromisoformat(cutoff) for cutoff in champion.cutoffs]
    assert cutoffs[0] + timedelta(days=HORIZON) == CUTOFF
    assert cutoffs == sorted(cutoffs, reverse=True)
    assert len(cutoffs) == 12
    assert champion.row_count == sum(len(features_of(purchases(), cutoff)) for cutoff in cutoffs)


def test_an_outlook_with_the_amounts_that_are_is_the_score_and_other_amounts_are_another(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    some, features = np.array([5, 3, 40]), checked_features(known[CUTOFF], CUTOFF)
    scored = score(known[CUTOFF], model, CUTOFF, [HORIZON]).iloc[some]
    looks = outlook(known[CUTOFF], model, CUTOFF, HORIZON)
    inactive, _, amount = looks.expects(features.iloc[some], some)
    assert list(inactive.round(6)) == list(scored["inactive_probability"])
    assert list(looks.potential_margin(features.iloc[some], amount)) == list(scored["potential_margin_amount"])
    more = features.iloc[some].assign(net_amount_28d=lambda frame: frame["net_amount_28d"] + 500)
    assert (looks.expects(more, some)[0] != inactive).all()


def test_what_comes_after_the_cut_off_changes_no_byte_of_a_champion(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    bought = purchases()
    later = bought["day"] >= (CUTOFF - START).days
    assert later.sum() > 300
    dealt = bought.copy()
    dealt.loc[later, ["customer_id", "net_amount"]] = (
        bought.loc[later, ["customer_id", "net_amount"]].sample(frac=1, random_state=1).to_numpy()
    )
    for seen in (bought[~later], dealt):
        others = {cutoff: frame.sample(frac=1, random_state=2) for cutoff, frame in known_at(seen).items()}
        again = challenged(fit(others[CUTOFF], CUTOFF, PARAMS), others, HORIZON)
        assert again.to_json() == model.to_json()
        scored = score(others[CUTOFF], again, CUTOFF, [HORIZON])
        pd.testing.assert_frame_equal(scored, score(known[CUTOFF], model, CUTOFF, [HORIZON]), check_exact=True)
    earlier = bought.assign(net_amount=bought["net_amount"].where(bought["day"] != 300, 1.0))
    changed = known_at(earlier)
    assert challenged(fit(changed[CUTOFF], CUTOFF, PARAMS), changed, HORIZON).to_json() != model.to_json()


def test_contributions_sum_to_the_score_on_the_models_own_scale(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    """To 1e-9; the three inputs that the base makes are one group."""
    champion = model.champion_of(HORIZON)
    assert champion is not None
    frame = checked_features(known[CUTOFF], CUTOFF)
    inputs = inputs_of(frame, history_of(frame, CUTOFF), base_expects(frame, model, CUTOFF, HORIZON))
    scored = score(known[CUTOFF], model, CUTOFF, [HORIZON])
    for name in ("activity", "count", "value"):
        parts, total = explained(champion, inputs, name)
        glm = getattr(champion, name)
        # By hand: coef x (z - mean z) over a spread, the three of the base summed as one.
        contributions = np.array(glm.weights) * (inputs - np.array(glm.centre)) / np.array(glm.spread)
        unit = np.log(champion.value_unit) if name == "value" else 0.0
        expected = glm.intercept + unit + contributions.sum(axis=1) + getattr(champion.level, name)
        assert np.abs(total - expected).max() < 1e-9
        assert np.abs(parts.sum(axis=1).to_numpy() - total).max() < 1e-9
        assert np.abs(parts["buying rhythm"].to_numpy() - contributions[:, :3].sum(axis=1)).max() < 1e-9
        assert next(iter(parts)) == "base"
        assert len(parts.columns) == 13
    # The scores that are published are those sums, to their digits.
    _, total = explained(champion, inputs, "activity")
    assert scored["inactive_probability"].to_numpy() == pytest.approx(1 / (1 + np.exp(total)), abs=5.1e-7)
    capped = np.minimum(explained(champion, inputs, "value")[1], np.log(champion.value_cap) + champion.level.value)
    assert scored["expected_net_amount"].to_numpy() == pytest.approx(np.exp(capped), abs=5.1e-5)


def test_inactivity_and_the_dates_of_the_next_purchase_are_one_curve(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    """P(inactive for N days) = 1 - F(N): the days until F is the champion's activity are the horizon, and the dates lie
    within it exactly when the score says so."""
    assert model.btyd is not None
    frame = checked_features(known[CUTOFF], CUTOFF)
    history, base = history_of(frame, CUTOFF), base_expects(frame, model, CUTOFF, HORIZON)
    scored = score(known[CUTOFF], model, CUTOFF, [HORIZON])
    activity = 1.0 - scored["inactive_probability"].to_numpy()
    # Half a unit of the last digit of a chance, which is all its days know of it.
    clear = (activity > 0.01) & (activity < 0.99)
    days = next_days(model.btyd, history, base.activity, activity, quantile=activity, longest=1e6)
    assert days[clear] == pytest.approx(np.full(clear.sum(), HORIZON), rel=1e-6)
    for name, quantile in (("next_purchase_p10_date", 0.1), ("next_purchase_p50_date", 0.5)):
        within = scored[name] < pd.Timestamp(CUTOFF + timedelta(days=HORIZON))
        assert (within == (scored["inactive_probability"] <= 1 - quantile)).all()
        assert 0 < within.sum() < len(scored)
    half = purchase_days_at(frame, model, CUTOFF, HORIZON, quantile=activity / 2, longest=HORIZON)
    assert (half[clear] < HORIZON).all()
    assert ((1 - p_no_purchase(model.btyd, history, HORIZON)) != activity).any()


def test_every_row_states_its_rung_and_keeps_what_the_base_says(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    scored = score(known[CUTOFF], model, CUTOFF, [30, HORIZON])
    assert scored.groupby("horizon_days")["rung"].unique().map(list).to_dict() == {30: ["btyd"], HORIZON: ["champion"]}
    base = score(known[CUTOFF], replace(model, champions=()), CUTOFF, [30, HORIZON])
    for name in ("inactive_probability", "expected_purchase_count", "expected_net_amount"):
        assert scored[f"base_{name}"].equals(base[name])
        assert (base[f"base_{name}"] == base[name]).all()
        assert (scored[name] != base[name]).any()
    assert (scored["expected_purchase_count"] >= 1 - scored["inactive_probability"] - 5.05e-5).all()


def test_a_champion_speaks_over_a_base_that_the_ladder_refuses(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    """At a bound of its fit the base gives way to the rung below, beside which the champion says the same as ever."""
    refused = replace(model, rung="global_rate", reason="mbg_nbd has b at a bound")
    scored, as_ever = (score(known[CUTOFF], one, CUTOFF, [HORIZON]) for one in (refused, model))
    same = [name for name in scored if name != "reason" and not name.startswith("base_")]
    pd.testing.assert_frame_equal(scored[same], as_ever[same], check_exact=True)
    assert scored["base_inactive_probability"].nunique() == 1
    assert set(score(known[CUTOFF], refused, CUTOFF, [30])["rung"]) == {"global_rate"}


def test_totals_are_those_of_the_base_as_last_year_proved_them(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    champion = model.champion_of(HORIZON)
    assert champion is not None
    assert champion.level.reason.startswith("the base's totals times last year's ratios")
    ratios = [float(text) for text in champion.level.reason.rsplit(" ", 3)[1:] for text in [text.rstrip(",")]]
    scored = score(known[CUTOFF], model, CUTOFF, [HORIZON])
    # Ratios are told with two digits; counts rise where they would fall short of the chance of one purchase.
    active = (1 - scored["inactive_probability"]).sum() / (1 - scored["base_inactive_probability"]).sum()
    assert active == pytest.approx(ratios[0], abs=0.006)
    value = scored["expected_net_amount"].sum() / scored["base_expected_net_amount"].sum()
    assert value == pytest.approx(ratios[2], abs=0.006)


def test_with_less_than_two_horizons_labels_are_stretched_and_with_less_than_one_the_base_speaks() -> None:
    """All customers begin within the first sixty days."""
    bought = purchases()
    first = bought.groupby("customer_id")["day"].transform("min")
    bought = bought.assign(day=bought["day"] - first + first % 60)
    own = START + timedelta(days=150)
    known = known_at(bought, own)
    base = fit(known[own], own, PARAMS)
    champion = challenged(base, known, HORIZON).champion_of(HORIZON)
    assert champion is not None
    assert champion.level.reason == "none: labels are stretched by the base"
    shortest = min((own - date.fromisoformat(cutoff)).days for cutoff in champion.cutoffs)
    assert 0.33 * HORIZON <= shortest < HORIZON
    model = challenged(base, known, 151)
    assert model.rung_of(151) == "btyd"
    assert "no champion of 151 days: 150 days of history, expected 151" in model.reason


def test_with_few_who_came_back_the_base_speaks(known: dict[date, pd.DataFrame]) -> None:
    few = {cutoff: frame[frame["customer_id"] < "c0150"] for cutoff, frame in known.items()}
    model = challenged(fit(few[CUTOFF], CUTOFF, PARAMS), few, HORIZON)
    assert model.rung_of(HORIZON) == "btyd"
    assert "customers with a repeat purchase, expected 200" in model.reason
    nobody = challenged(fit(known[CUTOFF].head(0), CUTOFF, PARAMS), {}, HORIZON)
    assert (nobody.rung, nobody.reason) == ("none", "no customers to learn from")


def test_a_champion_comes_back_from_its_json_byte_for_byte_and_older_models_do_too(
    model: BaseModel, known: dict[date, pd.DataFrame]
) -> None:
    back = BaseModel.from_json(model.to_json())
    assert back == model
    assert back.to_json() == model.to_json()
    document = json.loads(model.to_json()) | {"format": 2}
    del document["params"]["grade"], document["withheld"]
    ungraded = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert BaseModel.from_json(ungraded).to_json() == ungraded
    for name in ("champions", "format"):
        del document[name]
    del document["params"]["champion"]
    older = json.dumps(document, sort_keys=True, separators=(",", ":"))
    of_before = BaseModel.from_json(older)
    assert of_before.to_json() == older
    features = known[CUTOFF].drop(columns=list(RECENT))
    assert set(score(features, of_before, CUTOFF, [HORIZON])["rung"]) == {"btyd"}
    with pytest.raises(FeaturesError, match=r"columns \['newest_days_amount', .* are missing, which the model"):
        score(features, model, CUTOFF, [HORIZON])
    with pytest.raises(ValueError, match="format 4, expected 3, 2 or none"):
        BaseModel.from_json(json.dumps(json.loads(model.to_json()) | {"format": 4}))
