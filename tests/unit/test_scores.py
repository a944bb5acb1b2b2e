"""Promises of the scores: every row states its rung, churn and dates share one curve, equal rows get equal answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ml.btyd import p_no_purchase
from ml.evaluate import auc, average_precision, backtest, calibration_table, normalised_gini, top_share
from ml.features import FeaturesError, LeakError, history_of
from ml.params import PARAMS, Params, ParamsError, load_params
from ml.rungs import HorizonError
from ml.score import outlook, score
from ml.train import BaseModel, fit

START, CUTOFF, HORIZON = date(2023, 1, 1), date(2024, 7, 1), 90
SCORES = ["inactive_probability", "expected_purchase_count", "expected_net_amount", "potential_margin_amount"]
DATES = ["next_purchase_p10_date", "next_purchase_p50_date", "next_purchase_p90_date"]


def purchases(customers: int, rate: float = 0.02, seed: int = 7) -> pd.DataFrame:
    """Purchase days from START on, two years of them, of customers who live by MBG/NBD. Fixed seed."""
    random = np.random.default_rng(seed)
    moment = random.uniform(0, 365, customers)
    wait, value = random.gamma(1.0, rate, customers), 1 / random.gamma(4.0, 0.01, customers)
    chance = random.beta(0.8, 2.0, customers)
    alive, rows = np.ones(customers, dtype=bool), []
    while alive.any():
        spent = random.gamma(6.0, value)
        rows += [(f"c{i:05}", int(moment[i]), spent[i]) for i in np.flatnonzero(alive)]
        alive &= random.random(customers) >= chance
        moment = moment + random.exponential(1 / wait)
        alive &= moment < 730
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "net_amount"])
    return frame.groupby(["customer_id", "day"], as_index=False).sum()


def features_of(bought: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Features as of the cut-off; every second customer's costs are known, the margin being 30 or 50 %."""
    before = bought[bought["day"] < (cutoff - START).days]
    grouped = before.groupby("customer_id")
    frame = pd.DataFrame(
        {
            "first_purchase_date": pd.Timestamp(START) + pd.to_timedelta(grouped["day"].min(), unit="D"),
            "last_purchase_date": pd.Timestamp(START) + pd.to_timedelta(grouped["day"].max(), unit="D"),
            "purchase_days": grouped.size(),
            "net_amount": grouped["net_amount"].sum(),
            "mean_day_amount": grouped["net_amount"].mean(),
        }
    ).reset_index()
    place = np.arange(len(frame))
    frame["costed_net_amount"] = frame["net_amount"].where(place % 2 == 0)
    frame["margin_amount"] = frame["costed_net_amount"] * np.where(place % 4 == 0, 0.3, 0.5)
    return frame


def outcomes_of(bought: pd.DataFrame, cutoff: date, horizon: int) -> pd.DataFrame:
    since = (cutoff - START).days
    window = bought[(bought["day"] >= since) & (bought["day"] < since + horizon)].groupby("customer_id")["net_amount"]
    return window.agg(purchase_count="size", net_amount="sum").reset_index()


@pytest.fixture(scope="module")
def bought() -> pd.DataFrame:
    return purchases(3_000)


@pytest.fixture(scope="module")
def features(bought: pd.DataFrame) -> pd.DataFrame:
    return features_of(bought, CUTOFF)


@pytest.fixture(scope="module")
def params() -> Params:
    return replace(load_params(), horizons=(HORIZON,))


@pytest.fixture(scope="module")
def model(features: pd.DataFrame, params: Params) -> BaseModel:
    return fit(features, CUTOFF, params)


def few(features: pd.DataFrame, repeaters: int, once: int) -> pd.DataFrame:
    """So many customers with a repeat purchase and so many without, those known longest first."""
    ordered = features.sort_values(["first_purchase_date", "customer_id"])
    return pd.concat(
        [ordered[ordered["purchase_days"] > 1].head(repeaters), ordered[ordered["purchase_days"] == 1].head(once)]
    )


def test_enough_repeat_purchases_reach_the_top_rung(model: BaseModel, features: pd.DataFrame) -> None:
    assert model.rung == "btyd"
    assert model.reason == f"{model.repeater_count} customers with a repeat purchase; value by Gamma-Gamma"
    assert model.customer_count == len(features)
    scored = score(features, model, CUTOFF, [HORIZON])
    assert scored[SCORES].notna().all(axis=None)
    assert set(scored["rung"]) == {"btyd"}
    assert set(scored["reason"]) == {model.reason}


def test_few_repeat_purchases_are_answered_by_shrunk_cells(
    bought: pd.DataFrame, features: pd.DataFrame, params: Params
) -> None:
    small = few(features, 49, 60)
    past = features_of(bought[bought["customer_id"].isin(small["customer_id"])], CUTOFF - timedelta(days=HORIZON))
    model = fit(small, CUTOFF, params, {HORIZON: past})
    assert (model.rung, model.reason) == ("rfm_cells", "49 customers with a repeat purchase, expected 50")
    assert sum(cell.customers for cell in model.cells) == len(past)
    # The label of a past customer: no purchase day was added in the window.
    joined = past.merge(small, on="customer_id", suffixes=("", "_now"))
    inactive = joined["purchase_days"] == joined["purchase_days_now"]
    silent = (pd.Timestamp(CUTOFF - timedelta(days=HORIZON)) - joined["last_purchase_date"]).dt.days
    inside = inactive[(silent >= 182) & (joined["purchase_days"] == 1)]
    assert len(inside) > 0
    expected = (inside.sum() + 20 * inactive.mean()) / (len(inside) + 20)
    cell = next(cell for cell in model.cells if (cell.recency_band, cell.frequency_band) == (3, 0))
    assert cell.inactive_probability == pytest.approx(expected)
    scored = score(small, model, CUTOFF, [HORIZON]).merge(small, on="customer_id")
    long_silent = (pd.Timestamp(CUTOFF) - scored["last_purchase_date"]).dt.days >= 182
    chosen = scored[long_silent & (scored["purchase_days"] == 1)]
    assert len(chosen) > 0
    assert set(chosen["inactive_probability"]) == {round(expected, 6)}
    assert scored[DATES].isna().all(axis=None)
    with pytest.raises(HorizonError, match=r"horizon 30, expected one of \[90\]"):
        score(small, model, CUTOFF, [30])


def test_cells_that_history_is_too_short_for_give_way_to_one_rate(features: pd.DataFrame, params: Params) -> None:
    model = fit(few(features, 49, 60), CUTOFF, params)
    assert model.rung == "global_rate"
    assert "history is too short: 0 customers 90 days before, expected 20" in model.reason


def test_a_fit_at_a_bound_leaves_the_top_rung_and_names_the_parameter(params: Params) -> None:
    """Sixty customers who buy every ten days to the end: neither spread of rates nor drop-out can be placed."""
    days = np.arange(5, 45).repeat(2)
    last = pd.Timestamp(CUTOFF) - pd.Timedelta(days=1)
    steady = pd.DataFrame({"customer_id": [f"c{i:03}" for i in range(len(days))], "purchase_days": days})
    steady["last_purchase_date"] = last
    steady["first_purchase_date"] = last - pd.to_timedelta(10 * (days - 1), unit="D")
    steady["net_amount"], steady["mean_day_amount"] = 10.0 * days, 10.0
    model = fit(steady.assign(margin_amount=None, costed_net_amount=None), CUTOFF, params)
    assert model.rung == "global_rate"
    assert "at a bound; history is too short" in model.reason


def test_a_handful_of_customers_gets_one_rate_and_is_told_so(features: pd.DataFrame, params: Params) -> None:
    tiny = few(features, 10, 9)
    model = fit(tiny, CUTOFF, params)
    assert (model.rung, model.reason) == ("global_rate", "not enough data: 19 customers, expected 20")
    scored = score(tiny, model, CUTOFF, [HORIZON])
    days_known = (pd.Timestamp(CUTOFF) - tiny["first_purchase_date"]).dt.days.sum()
    rate = (tiny["purchase_days"] - 1).sum() / days_known
    assert scored["inactive_probability"].to_numpy() == pytest.approx(np.exp(-rate * HORIZON), abs=1e-6)
    half = pd.Timestamp(CUTOFF) + pd.Timedelta(days=int(np.ceil(np.log(2) / rate)) - 1)
    assert set(scored["next_purchase_p50_date"]) == {half}


def test_without_customers_nothing_is_said_of_any(features: pd.DataFrame, params: Params) -> None:
    model = fit(features.head(0), CUTOFF, params)
    assert (model.rung, model.reason) == ("none", "no customers to learn from")
    scored = score(features.head(3), model, CUTOFF, [HORIZON])
    assert len(scored) == 3
    assert scored[[*SCORES, *DATES]].isna().all(axis=None)
    assert score(features.head(0), model, CUTOFF, [HORIZON]).columns.tolist() == scored.columns.tolist()


def test_values_that_go_with_frequency_are_answered_by_each_customers_own_mean(
    features: pd.DataFrame, params: Params
) -> None:
    rising = features.assign(mean_day_amount=10.0 * features["purchase_days"])
    rising["net_amount"] = rising["mean_day_amount"] * rising["purchase_days"]
    model = fit(rising, CUTOFF, params)
    assert model.gamma_gamma is None
    assert "value by the customer's own mean, shrunk: number and mean value correlate by 1.00" in model.reason
    scored = score(rising, model, CUTOFF, [HORIZON]).merge(rising, on="customer_id")
    overall = rising["net_amount"].sum() / rising["purchase_days"].sum()
    own = (scored["net_amount"] + 4 * overall) / (scored["purchase_days"] + 4)
    bought = scored["expected_purchase_count"] > 0.1
    per_purchase = scored["expected_net_amount"] / scored["expected_purchase_count"]
    assert per_purchase[bought].to_numpy() == pytest.approx(own[bought].to_numpy(), rel=2e-3)


def test_a_cells_net_amount_goes_to_its_customers_as_they_spend(
    bought: pd.DataFrame, features: pd.DataFrame, params: Params
) -> None:
    """Two customers of one cell, the second spending twice as much a purchase day: their shares are as their means."""
    small = few(features, 49, 60)
    past = features_of(bought[bought["customer_id"].isin(small["customer_id"])], CUTOFF - timedelta(days=HORIZON))
    model = fit(small, CUTOFF, params, {HORIZON: past})
    twin = small.assign(mean_day_amount=2 * small["mean_day_amount"])
    one, two = (score(frame, model, CUTOFF, [HORIZON])["expected_net_amount"] for frame in (small, twin))
    mean = model.mean_day_amount
    days, spent = (small.sort_values("customer_id")[name].to_numpy() for name in ("purchase_days", "mean_day_amount"))
    expected = (2 * days * spent + 4 * mean) / (days * spent + 4 * mean)
    assert (two / one).to_numpy() == pytest.approx(expected, rel=1e-3)


def test_dates_of_the_next_purchase_agree_with_the_probability_of_staying_away(
    features: pd.DataFrame, model: BaseModel
) -> None:
    """The date is the first day by whose end the probability is reached, else it is past the longest horizon."""
    scored = score(features, model, CUTOFF, [HORIZON])
    assert model.btyd is not None
    history, longest = history_of(features.sort_values("customer_id"), CUTOFF), model.params.next_purchase_max_days
    for name, quantile in zip(DATES, (0.1, 0.5, 0.9), strict=True):
        days = ((scored[name] - pd.Timestamp(CUTOFF)).dt.days + 1).to_numpy()
        named = ~np.isnan(days)
        by_its_end = p_no_purchase(model.btyd, history, np.where(named, days, longest))
        day_before = p_no_purchase(model.btyd, history, np.where(named, days - 1, 0))
        assert 0 < named.sum() < len(features)
        assert (by_its_end[named] <= 1 - quantile).all()
        assert (day_before[named] > 1 - quantile).all()
        assert (by_its_end[~named] > 1 - quantile).all()
        within = (days <= HORIZON) & named
        assert (within == (scored["inactive_probability"] <= 1 - quantile)).all()


def test_an_expected_count_is_never_below_the_probability_of_one_purchase(
    features: pd.DataFrame, model: BaseModel
) -> None:
    scored = score(features, model, CUTOFF, [30, HORIZON, 365])
    # Half a unit of the last digit of either.
    assert (scored["expected_purchase_count"] >= 1 - scored["inactive_probability"] - 5.05e-5).all()
    assert (scored.groupby("customer_id")["inactive_probability"].diff().dropna() <= 0).all()


def test_shuffled_rows_give_the_same_model_and_the_same_scores(
    features: pd.DataFrame, model: BaseModel, params: Params
) -> None:
    scored = score(features, model, CUTOFF, [HORIZON, 30])
    for seed in range(3):
        shuffled = features.sample(frac=1, random_state=seed)
        assert fit(shuffled, CUTOFF, params).to_json() == model.to_json()
        pd.testing.assert_frame_equal(score(shuffled, model, CUTOFF, [30, HORIZON]), scored, check_exact=True)
    assert not scored.duplicated(["customer_id", "horizon_days"]).any()


def test_a_model_comes_back_from_its_json_byte_for_byte_and_scores_the_same(
    bought: pd.DataFrame, features: pd.DataFrame, model: BaseModel, params: Params
) -> None:
    small = few(features, 49, 60)
    past = features_of(bought[bought["customer_id"].isin(small["customer_id"])], CUTOFF - timedelta(days=HORIZON))
    for one in (model, fit(small, CUTOFF, params, {HORIZON: past}), fit(features.head(0), CUTOFF, params)):
        back = BaseModel.from_json(one.to_json())
        assert back == one
        assert (back.to_json(), back.version) == (one.to_json(), one.version)
        pd.testing.assert_frame_equal(
            score(features, back, CUTOFF, [HORIZON]), score(features, one, CUTOFF, [HORIZON]), check_exact=True
        )
    assert replace(model, purchase_rate=model.purchase_rate * (1 + 1e-15)).version != model.version


def test_features_or_a_model_that_know_what_comes_from_the_cut_off_on_are_refused(
    bought: pd.DataFrame, features: pd.DataFrame, model: BaseModel, params: Params
) -> None:
    leaking = features_of(bought, CUTOFF + timedelta(days=1))
    assert (leaking["last_purchase_date"] == pd.Timestamp(CUTOFF)).any()
    with pytest.raises(LeakError, match="purchase on or after the cut-off 2024-07-01, such as"):
        fit(leaking, CUTOFF, params)
    with pytest.raises(LeakError, match="purchase on or after the cut-off 2024-07-01, such as"):
        score(leaking, model, CUTOFF, [HORIZON])
    earlier = CUTOFF - timedelta(days=1)
    with pytest.raises(LeakError, match="the model knows purchases up to 2024-07-01, expected none from 2024-06-30 on"):
        score(features_of(bought, earlier), model, earlier, [HORIZON])
    with pytest.raises(LeakError, match="on or after the cut-off 2024-04-02"):
        fit(few(features, 49, 60), CUTOFF, params, {HORIZON: features})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="net_amount"), r"columns \['net_amount'\] are missing"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "1 customers stand there twice, such as"),
        (lambda frame: frame.assign(mean_day_amount=np.inf), "have missing or infinite values"),
        (lambda frame: frame.assign(first_purchase_date=pd.NaT), "have missing or infinite values"),
        (lambda frame: frame.assign(purchase_days=0), "have dates unlike their days"),
        (lambda frame: frame.assign(first_purchase_date=frame["last_purchase_date"]), "have dates unlike their days"),
    ],
)
def test_features_that_are_not_one_whole_row_per_customer_are_refused(
    change: object, message: str, features: pd.DataFrame, params: Params
) -> None:
    assert callable(change)
    with pytest.raises(FeaturesError, match=message):
        fit(change(features), CUTOFF, params)


def test_margin_is_shrunk_to_the_overall_rate_and_null_when_no_cost_is_known(
    features: pd.DataFrame, model: BaseModel, params: Params
) -> None:
    scored = score(features, model, CUTOFF, [HORIZON]).merge(features, on="customer_id")
    known = scored["expected_net_amount"] > 10
    rate = scored["potential_margin_amount"] / scored["expected_net_amount"]
    overall = features["margin_amount"].sum() / features["costed_net_amount"].sum()
    weight = 20 * features["net_amount"].sum() / features["purchase_days"].sum()
    shrunk = (scored["margin_amount"] + weight * overall) / (scored["costed_net_amount"] + weight)
    # Amounts of more than 10 are rounded to 4 digits.
    assert rate[known].to_numpy() == pytest.approx(shrunk.fillna(overall)[known].to_numpy(), abs=2e-5)
    without = features.assign(margin_amount=None, costed_net_amount=None)
    assert score(without, fit(without, CUTOFF, params), CUTOFF, [HORIZON])["potential_margin_amount"].isna().all()


def test_a_back_test_of_customers_who_live_by_the_model_finds_it_calibrated(
    bought: pd.DataFrame, features: pd.DataFrame, model: BaseModel
) -> None:
    outcomes = outcomes_of(bought, CUTOFF, HORIZON)
    figures, table = backtest(features, outcomes, model, HORIZON)
    assert list(figures) == [
        "auc", "average_precision", "log_loss", "brier", "ece",
        "count_bias", "count_mae", "count_rmse", "count_correlation",
        "value_bias", "value_mae", "value_rmse", "value_gini", "value_top_share",
        "margin_mae", "margin_gini", "next_date_concordance", "next_date_mae_days",
    ]  # fmt: skip
    assert table["customers"].sum() == len(features)
    # 300 customers a bin: 4 standard errors of a share are at most .12, of their mean over ten bins .03.
    assert ((table["predicted"] - table["observed"]).abs() < 0.12).all()
    assert figures["ece"] < 0.03
    # 1,171 purchases of 600 customers: 4 standard errors of their number are 19 %, of their value 25 %.
    assert 0.81 < figures["count_bias"] < 1.19
    assert 0.75 < figures["value_bias"] < 1.25
    assert figures["auc"] > 0.75
    # Outcomes dealt to other customers are not foreseen: .5 within 4 standard errors of .013.
    dealt = outcomes.assign(customer_id=features["customer_id"].sample(len(outcomes), random_state=1).to_numpy())
    assert abs(backtest(features, dealt, model, HORIZON)[0]["auc"] - 0.5) < 0.06
    with pytest.raises(FeaturesError, match="customers stand there twice"):
        backtest(features, pd.concat([outcomes, outcomes]), model, HORIZON)


def test_an_outlook_with_the_amounts_that_are_is_the_score_on_every_rung(
    bought: pd.DataFrame, features: pd.DataFrame, model: BaseModel, params: Params
) -> None:
    small = few(features, 49, 60)
    past = features_of(bought[bought["customer_id"].isin(small["customer_id"])], CUTOFF - timedelta(days=HORIZON))
    models = [model, fit(small, CUTOFF, params, {HORIZON: past}), fit(small.head(10), CUTOFF, params)]
    assert [one.rung for one in models] == ["btyd", "rfm_cells", "global_rate"]
    ordered = features.sort_values("customer_id", ignore_index=True)
    some = np.array([5, 3, 40])
    amounts = ordered.fillna({"margin_amount": 0.0, "costed_net_amount": 0.0}).iloc[some]
    for one in models:
        scored = score(features, one, CUTOFF, [HORIZON]).iloc[some]
        said = outlook(features, one, CUTOFF, HORIZON)
        inactive, _, amount = said.expects(amounts, some)
        assert list(inactive.round(6)) == list(scored["inactive_probability"])
        assert list(said.potential_margin(amounts, amount)) == list(scored["potential_margin_amount"])


def test_auc_and_average_precision_are_those_of_scikit_learn_with_ties() -> None:
    random = np.random.default_rng(3)
    predicted, positive = random.integers(0, 10, 500) / 10, (random.random(500) < 0.3).astype(np.float64)
    assert auc(predicted, positive) == pytest.approx(roc_auc_score(positive, predicted))
    assert average_precision(predicted, positive) == pytest.approx(average_precision_score(positive, predicted))
    assert np.isnan(auc(predicted, np.zeros(500)))


def test_measures_of_value_are_one_for_perfect_order_and_blind_to_the_order_of_ties() -> None:
    actual = np.array([0.0, 0.0, 1.0, 3.0, 6.0])
    assert normalised_gini(actual * 2, actual) == pytest.approx(1.0)
    assert normalised_gini(-actual, actual) == pytest.approx(-1.0)
    assert normalised_gini(np.ones(5), actual) == pytest.approx(0.0)
    assert top_share(actual, actual, 0.2) == pytest.approx(0.6)
    assert top_share(np.ones(5), actual, 0.2) == pytest.approx(0.2)
    assert np.isnan(top_share(actual, np.zeros(5), 0.2))


def test_bins_of_the_calibration_table_hold_equal_counts_of_rising_predictions() -> None:
    predicted = np.linspace(0, 1, 101)[::-1]
    table = calibration_table(predicted, (predicted > 0.5).astype(np.float64), 10)
    assert table["customers"].tolist() == [11] + [10] * 9
    assert table["predicted"].is_monotonic_increasing
    assert table["observed"].tolist() == [0.0] * 5 + [1.0] * 5


def test_shipped_parameters_are_read_and_mistakes_in_them_are_named(tmp_path: Path) -> None:
    text = PARAMS.read_text(encoding="utf-8")
    assert load_params().model == "mbg_nbd"
    for old, new, message in (
        ("model: mbg_nbd", "model: pareto", r"p\.yml: model is 'pareto', expected one of \['bg_nbd', 'mbg_nbd'\]"),
        ("horizons: [28, 90, 180]", "horizons: [90, 30]", r"horizons is \[90, 30\], expected a rising list"),
        ("correlation_limit: 0.3", "correlation_limit: 3", "correlation_limit is 3, expected a number between 0 and 1"),
        ("min_customers: 20\n", "min_customer: 20\n", r"missing parameters \['min_customers'\], unknown parameters"),
        (text, "- 1", "p.yml: got list, expected a mapping"),
        (text, "[", "p.yml: cannot be read"),
    ):
        (tmp_path / "p.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ParamsError, match=message):
            load_params(tmp_path / "p.yml")
    with pytest.raises(ParamsError, match=r"absent\.yml: cannot be read"):
        load_params(tmp_path / "absent.yml")
