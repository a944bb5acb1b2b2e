"""Promises of the gate: a model in use gives way only to one that is shown to be better, and never on one cut-off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import exp, nan

import numpy as np
import pandas as pd
import pytest

from ml.evaluate import auc, normalised_gini
from ml.grade import Judged, graded_cutoffs
from ml.learn import TrainedModel, learn
from ml.params import load_params
from ml.promotion import Contest, Promotion, contest, decided, load_promotion_params, missed
from ml.store import ModelStoreError, PlannedModel, champion_before, plan_models

HORIZON = 90
PARAMS, GATE = replace(load_params(), horizons=(HORIZON,)), load_promotion_params()
OWN, SIZE = date(2025, 7, 1), 2_000
CUTOFFS = graded_cutoffs(OWN, HORIZON, PARAMS)
# All limits kept, by far.
PASSING = {
    **{"auc_gain_low": 0.01, "brier_gain_high": -0.01, "gini_gain_low": 0.01, "count_bias": 1.0, "value_bias": 1.0},
    **{"champion_count_bias": 1.0, "champion_value_bias": 1.0, "ece": 0.01, "champion_ece": 0.01},
}
LEAST = 1e-9
COLUMNS = (
    *("customer_id", "first_purchase_date", "last_purchase_date", "purchase_days"),
    *("net_amount", "mean_day_amount", "margin_amount", "costed_net_amount"),
)


@pytest.mark.parametrize(
    ("figures", "limits"),
    [
        ({}, ()),
        # Who buys: the lower bound above -.002.
        ({"auc_gain_low": -0.002}, ("auc",)),
        ({"auc_gain_low": -0.002 + LEAST}, ()),
        # A gain: the Brier score's upper bound below 0, or the AUC's lower bound above it.
        ({"auc_gain_low": 0.0, "brier_gain_high": 0.0}, ("gain",)),
        ({"auc_gain_low": 0.0, "brier_gain_high": -LEAST}, ()),
        ({"auc_gain_low": LEAST, "brier_gain_high": 0.0}, ()),
        # Who buys for how much: the lower bound above -.002.
        ({"gini_gain_low": -0.002}, ("gini",)),
        ({"gini_gain_low": -0.002 + LEAST}, ()),
        # Levels: a tenth, or as far off as the model in use, whichever way.
        ({"count_bias": exp(0.1 - LEAST)}, ()),
        ({"count_bias": exp(0.1 + LEAST)}, ("count_bias",)),
        ({"count_bias": exp(-0.1 - LEAST)}, ("count_bias",)),
        ({"count_bias": 1.3, "champion_count_bias": 1.3}, ()),
        ({"count_bias": 1.3 + LEAST, "champion_count_bias": 1.3}, ("count_bias",)),
        ({"count_bias": 0.0}, ("count_bias",)),
        ({"value_bias": exp(-0.1 + LEAST)}, ()),
        ({"value_bias": exp(0.1 + LEAST)}, ("value_bias",)),
        ({"value_bias": exp(0.2 - LEAST), "champion_value_bias": exp(-0.2)}, ()),
        # Probabilities: .03, or as far off as those of the model in use.
        ({"ece": 0.03}, ()),
        ({"ece": 0.03 + LEAST}, ("ece",)),
        ({"ece": 0.05, "champion_ece": 0.05}, ()),
        ({"ece": 0.05 + LEAST, "champion_ece": 0.05}, ("ece",)),
        # What cannot be told keeps nothing.
        (dict.fromkeys(PASSING, nan), ("auc", "gain", "gini", "count_bias", "value_bias", "ece")),
    ],
)
def test_each_limit_holds_to_its_last_digit(figures: dict[str, float], limits: tuple[str, ...]) -> None:
    assert missed(PASSING | figures, GATE) == limits


def one_day(cutoff: date, *, knows: tuple[float, float], scale: float = 1.0) -> tuple[Judged, Judged]:
    """The same customers by two models that know their chances in these shares, the rest being chance."""
    random = np.random.default_rng(cutoff.toordinal())
    chance = random.beta(2.0, 2.0, SIZE)
    count = (random.random(SIZE) < chance).astype(np.float64)
    value, customers = count * random.gamma(4.0, 25.0, SIZE), tuple(f"c{nth:04}" for nth in range(SIZE))
    other = random.permutation(chance)
    said = [share * chance + (1.0 - share) * other for share in knows]
    new, old = (
        Judged(cutoff, "champion", customers, 1.0 - one, one * times, 100.0 * one * times, count, value, {})
        for one, times in zip(said, (scale, 1.0), strict=True)
    )
    return new, old


def judged(*, knows: tuple[float, float], cutoffs: int = 3, scale: float = 1.0) -> Contest:
    pairs = [one_day(cutoff, knows=knows, scale=scale) for cutoff in CUTOFFS[:cutoffs]]
    return contest(pairs, HORIZON, [str(cutoff) for cutoff in CUTOFFS], 10, GATE)


@pytest.mark.parametrize(
    ("knows", "scale", "verdict", "limits"),
    [
        ((1.0, 0.5), 1.0, "promoted", ()),
        ((0.5, 1.0), 1.0, "kept", ("auc", "gain", "gini")),
        ((1.0, 1.0), 1.0, "kept", ("gain",)),
        ((1.0, 0.5), 1.3, "kept", ("count_bias", "value_bias")),
    ],
)
def test_a_better_challenger_is_promoted_and_a_worse_or_equal_one_is_not(
    knows: tuple[float, float], scale: float, verdict: str, limits: tuple[str, ...]
) -> None:
    found = judged(knows=knows, scale=scale)
    assert found.missed == limits
    promotion = decided("before", [found], GATE)
    assert (promotion.verdict, promotion.reason, promotion.champion) == (verdict, "gate", "before")
    assert found.cutoffs == tuple(str(cutoff) for cutoff in CUTOFFS[:3])


def test_it_must_be_worse_in_no_horizon_that_enough_cut_offs_tell_of_and_better_in_one() -> None:
    better, worse, alone = judged(knows=(1.0, 0.5)), judged(knows=(0.5, 1.0)), judged(knows=(1.0, 0.5), cutoffs=1)
    assert decided("before", [better, worse], GATE).verdict == "kept"
    assert decided("before", [better, better], GATE).verdict == "promoted"
    equal = judged(knows=(1.0, 1.0))
    assert decided("before", [better, equal], GATE).verdict == "promoted"
    nowhere = decided("before", [equal, equal], GATE)
    assert (nowhere.verdict, "no gain is shown" in nowhere.sentences[0]) == ("kept", True)
    assert "no gain" not in decided("before", [better, worse], GATE).sentences[0]
    assert alone.figures == {}
    assert decided("before", [better, alone], GATE).verdict == "promoted"
    young = decided("before", [worse, alone], GATE)
    assert (young.verdict, "at 3 past cut-offs" in young.sentences[0]) == ("kept", True)
    few = decided("before", [alone, alone], GATE)
    assert (few.verdict, few.reason) == ("forced", "few_cutoffs")


def test_a_cut_off_at_which_one_of_both_says_nothing_tells_nothing() -> None:
    pairs = [one_day(cutoff, knows=(1.0, 0.5)) for cutoff in CUTOFFS[:4]]
    silent = replace(pairs[1][1], inactive=np.full(SIZE, nan))
    pairs[1] = pairs[1][0], silent
    found = contest(pairs, HORIZON, [str(cutoff) for cutoff in CUTOFFS], 10, GATE)
    told = tuple(str(CUTOFFS[place]) for place in (0, 2, 3))
    assert (found.cutoffs, found.champion_cutoffs) == (told, told)
    nobody = [replace(one, count=one.count * 0, value=one.value * 0) for one in pairs[0]]
    assert contest([(nobody[0], nobody[1])], HORIZON, ["x"], 10, GATE).cutoffs == ()


def test_the_figures_of_all_customers_are_those_of_the_back_test() -> None:
    new, old = one_day(CUTOFFS[0], knows=(1.0, 0.5))
    found = contest([(new, old)], HORIZON, ["x"], 10, replace(GATE, cutoffs=1)).figures
    inactive = (new.count == 0).astype(np.float64)
    for prefix, one in (("", new), ("champion_", old)):
        assert found[f"{prefix}auc"] == pytest.approx(auc(one.inactive, inactive), abs=1e-6)
        assert found[f"{prefix}gini"] == pytest.approx(normalised_gini(one.expected_value, one.value), abs=1e-6)
        assert found[f"{prefix}brier"] == pytest.approx(((one.inactive - inactive) ** 2).mean(), abs=1e-6)
    assert found["auc_gain_low"] < found["auc_gain"] < found["auc_gain_high"]


def test_the_verdict_is_said_in_two_languages() -> None:
    assert decided("before", [judged(knows=(0.5, 1.0))], GATE).sentences[0] == (
        "The model in use was kept: at 3 past cut-offs the new one did not pass the gate (who buys may be told worse; "
        "no gain is shown; who buys for how much may be told worse)."
    )
    assert "未经评判即启用新模型：使用中的模型已超过使用年限。" in Promotion("forced", "old", "before").sentences


# Which model speaks since a trial.

DAY, KNOWN = OWN - timedelta(days=1), datetime(2025, 6, 30, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def empty() -> TrainedModel:
    return learn(pd.DataFrame(columns=["cutoff_date", *COLUMNS]), DAY, KNOWN, PARAMS)


def stored(empty: TrainedModel, *verdicts: str | None) -> dict[str, TrainedModel]:
    """A model every 28 days; the verdict of each on it, which names the one that spoke before."""
    found: dict[str, TrainedModel] = {}
    speaker: str | None = None
    for nth, verdict in enumerate(verdicts):
        days = timedelta(days=28 * nth)
        promotion = Promotion(verdict, "gate", speaker) if verdict else None
        model = replace(empty, as_of_date=DAY + days, known_at=KNOWN + days, promotion=promotion)
        found[model.version], speaker = model, model.speaker
    return found


def test_a_model_that_was_kept_speaks_on_and_no_day_trains_again_before_its_time(empty: TrainedModel) -> None:
    models = stored(empty, "first", "kept")
    first, refused = models
    days = [(DAY + timedelta(days=after), KNOWN + timedelta(days=after)) for after in (27, 28, 55, 56)]
    planned = plan_models(days, models, {}, PARAMS)
    assert [one.version for one in planned] == [first, first, first, None]
    assert planned[-1] == PlannedModel(days[-1][0], None, days[-1][0])
    before = champion_before(models, *days[-1])
    assert before is not None
    assert before.version == first
    assert models[refused].speaker == first


def test_a_model_that_was_promoted_speaks_from_its_day_on_and_not_before(empty: TrainedModel) -> None:
    models = stored(empty, "first", "promoted")
    first, second = models
    days = [(DAY + timedelta(days=after), KNOWN + timedelta(days=after)) for after in (27, 28)]
    assert [one.version for one in plan_models(days, models, {}, PARAMS)] == [first, second]
    assert champion_before(models, DAY, KNOWN) is None
    trained_then = champion_before(models, *days[1])
    assert trained_then is not None
    assert trained_then.version == first


def test_the_model_that_speaks_must_be_there(empty: TrainedModel) -> None:
    models = stored(empty, "first", "kept")
    first, refused = models
    day = DAY + timedelta(days=30), KNOWN + timedelta(days=30)
    with pytest.raises(ModelStoreError, match=rf"{first}\.json is missing, which speaks for {day[0]}; restore it"):
        plan_models([day], {refused: models[refused]}, {}, PARAMS)
    with pytest.raises(ModelStoreError, match=rf"{first}\.json is missing, which was in use before {day[0]}"):
        champion_before({refused: models[refused]}, *day)


def test_a_verdict_comes_back_from_its_file_byte_for_byte(empty: TrainedModel) -> None:
    for promotion in (decided("before", [judged(knows=(0.5, 1.0))], GATE), Promotion("first", "first", None), None):
        model = replace(empty, promotion=promotion)
        again = TrainedModel.from_json(model.to_json())
        assert again == model
        assert again.to_json() == model.to_json()
