"""Promises of a trial: neither model is judged by outcomes that it had seen, and what cannot be judged is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from test_grade import DAY, DAYS, HORIZON, KNOWN, OWN, panel

from ml.champion import SCORED
from ml.grade import graded_cutoffs
from ml.learn import Lesson, TrainedModel, lesson_of
from ml.params import load_params
from ml.promotion import load_promotion_params
from ml.trial import looked_back, tried
from orchestration.assets.model_metadata import told_of, told_of_trial

WHOLE, GATE = replace(load_params(), horizons=(HORIZON,)), load_promotion_params()
assert WHOLE.champion is not None
# Champions of fewer past cut-offs: quicker.
PARAMS = replace(WHOLE, champion=replace(WHOLE.champion, max_cutoffs=2, min_repeaters=50))
GRID = graded_cutoffs(OWN, HORIZON, PARAMS)


def customers() -> pd.DataFrame:
    """Customers who differ in how often they buy, as of each cut-off of DAY. Fixed seed."""
    random = np.random.default_rng(7)
    days = [np.flatnonzero(random.random(DAYS) < rate) for rate in random.gamma(1.0, 0.02, 160)]
    return panel(days, [random.gamma(2.0, 50.0, len(bought)) for bought in days], PARAMS)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    """Whether so few customers are graded a C is no matter here: nothing is withheld."""
    found = lesson_of(customers(), DAY, KNOWN, PARAMS)
    return replace(found, trained=shown(found.trained))


def shown(trained: TrainedModel) -> TrainedModel:
    return replace(trained, model=replace(trained.model, withheld=()))


def of_age(trained: TrainedModel, days: int) -> TrainedModel:
    """The same model, trained so many days earlier."""
    earlier = timedelta(days=days)
    model = replace(trained.model, cutoff=trained.model.cutoff - earlier)
    return replace(trained, as_of_date=trained.as_of_date - earlier, known_at=KNOWN - earlier, model=model)


@pytest.mark.parametrize(
    ("age", "learned"),
    [
        # A young one had seen all that came: its recipe stands in, as old at each cut-off as it is today.
        (28, [GRID[1], GRID[2], GRID[3]]),
        (56, [GRID[2], GRID[3], GRID[4]]),
        # One older than the horizon is judged itself where it had not.
        (100, [OWN - timedelta(days=100), GRID[4], GRID[5]]),
        (160, [OWN - timedelta(days=160)] * 3),
    ],
)
def test_neither_is_judged_by_outcomes_that_it_had_seen(lesson: Lesson, age: int, learned: list[date]) -> None:
    promotion = tried(lesson, of_age(lesson.trained, age), GATE).promotion
    assert promotion is not None
    (found,) = promotion.contests
    assert found.cutoffs == tuple(str(cutoff) for cutoff in GRID[:3])
    assert found.champion_cutoffs == tuple(str(cutoff) for cutoff in learned)
    assert all(seen <= cutoff for seen, cutoff in zip(found.champion_cutoffs, found.cutoffs, strict=True))
    # Every past challenger's own labels had ended by the cut-off it is judged at.
    for cutoff, model in lesson.past[HORIZON].items():
        for taught in (day for champion in model.champions or () for day in champion.cutoffs):
            assert date.fromisoformat(taught) + timedelta(days=HORIZON) <= cutoff


def test_a_champion_that_tells_everything_the_wrong_way_round_is_replaced(lesson: Lesson) -> None:
    champion = of_age(lesson.trained, 160)
    (of_horizon,) = champion.model.champions or ()
    glms = {name: getattr(of_horizon, name) for name in SCORED}
    wrong = {name: replace(glm, weights=tuple(-weight for weight in glm.weights)) for name, glm in glms.items()}
    model = replace(champion.model, champions=(replace(of_horizon, **wrong),))
    promotion = tried(lesson, replace(champion, model=model), GATE).promotion
    assert promotion is not None
    assert promotion.verdict == "promoted"
    assert promotion.contests[0].figures["auc_gain"] > 0.2


def test_a_challenger_of_a_worse_recipe_is_refused_and_the_document_says_so(lesson: Lesson) -> None:
    """Cells that are nearly one mean for all; the champion's recipe is learned again by its own parameters."""
    poor = replace(PARAMS, champion=None, base_min_repeaters=10_000, cell_shrinkage_customers=10_000_000)
    worse = lesson_of(customers(), DAY, KNOWN, poor)
    champion = of_age(lesson.trained, 28)
    known = replace(worse, trained=shown(worse.trained), known=worse.known | lesson.known)
    refused = tried(known, champion, GATE)
    assert refused.promotion is not None
    assert refused.promotion.verdict == "kept"
    assert "auc" in refused.promotion.contests[0].missed
    assert refused.speaker == champion.version
    assert TrainedModel.from_json(refused.to_json()).speaker == champion.version


def test_what_cannot_be_judged_is_taken_and_says_why(lesson: Lesson) -> None:
    trained = lesson.trained
    young = of_age(trained, 28)
    others = replace(young.model.params, horizons=(30,))
    withheld = replace(young.model, withheld=(HORIZON,))
    assert PARAMS.champion is not None
    wider = replace(PARAMS.champion, spacing_days=11, max_cutoffs=9)
    for champion, verdict, reason in (
        (None, "first", "first"),
        (of_age(trained, GATE.max_age_days), "forced", "old"),
        (replace(young, model=replace(young.model, params=others)), "forced", "horizons"),
        (replace(young, model=withheld), "forced", "grade"),
        (replace(young, model=replace(young.model, params=replace(PARAMS, champion=wider))), "forced", "recipe"),
    ):
        promotion = tried(lesson, champion, GATE).promotion
        assert promotion is not None
        assert (promotion.verdict, promotion.reason) == (verdict, reason)
    short = replace(lesson, known={day: frame if day == OWN else frame.iloc[:0] for day, frame in lesson.known.items()})
    few = tried(short, young, GATE).promotion
    assert few is not None
    assert (few.verdict, few.reason) == ("forced", "few_cutoffs")
    almost = tried(lesson, of_age(trained, GATE.max_age_days - 1), GATE).promotion
    assert almost is not None
    assert almost.reason == "gate"


def test_what_an_orchestrator_shows_are_the_figures_of_the_documents(lesson: Lesson) -> None:
    refused = tried(lesson, of_age(lesson.trained, 28), GATE)
    shown, (test,), (grade,) = told_of(refused), refused.backtests, refused.grades or ()
    assert (shown["model"], shown["auc"], shown["grade"]) == (refused.version, test.figures["auc"], grade.grade)
    assert shown["auc_lift_low"] == grade.figures["auc_lift_low"]
    assert len(shown["calibration"].value.splitlines()) == 2 + len(test.calibration)
    trial = told_of_trial(refused)
    assert refused.promotion is not None
    assert (trial["verdict"], trial["in words"]) == ("kept", refused.promotion.sentences[0])
    assert trial["auc_gain_low"] == refused.promotion.contests[0].figures["auc_gain_low"]
    assert told_of(None) == told_of_trial(None) == told_of_trial(lesson.trained) == {}


def test_a_past_prediction_is_that_of_the_model_in_use_then_and_never_of_one_that_had_seen_what_came(
    lesson: Lesson,
) -> None:
    """Models trained 100 and 160 days before: the first of them speaks until the second does, and each from its day."""
    younger, older = of_age(lesson.trained, 100), of_age(lesson.trained, 160)
    found = looked_back(lesson, {one.version: one for one in (younger, older)})
    told = {(one.cutoff, one.version) for one in found}
    assert told == {(str(GRID[0]), younger.version), (str(GRID[1]), older.version), (str(GRID[2]), older.version)}
    came = lesson.known[OWN].set_index("customer_id")["purchase_days"]
    before = lesson.known[GRID[0]].set_index("customer_id")["purchase_days"]
    (newest,) = (one for one in found if one.cutoff == str(GRID[0]))
    assert newest.came["count"] == (came.reindex(before.index) - before).sum()
    assert looked_back(lesson, {lesson.trained.version: of_age(lesson.trained, 28)}) == ()
