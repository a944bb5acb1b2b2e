"""Promises of trained models: canonical bytes, kept once under their hash, and chosen by what a day could know."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.challenge import champion_cutoffs
from ml.grade import graded_cutoffs
from ml.learn import TrainedModel, cutoffs, learn
from ml.params import Params, load_params
from ml.store import NO_MODEL, ModelStoreError, PlannedModel, plan_models, read_models, write_model

DAY = date(2025, 6, 30)
KNOWN = datetime(2025, 6, 30, 16, tzinfo=UTC)
PARAMS = replace(load_params(), horizons=(90,))


def purchases(customers: int) -> pd.DataFrame:
    """One row per purchase day, a year and a half up to DAY and half a year past it. Fixed seed."""
    random = np.random.default_rng(11)
    days = [
        (f"c{nth:03}", offset, float(random.integers(10, 500)))
        for nth in range(customers)
        for offset in np.unique(random.integers(0, 730, random.integers(1, 30)))
    ]
    frame = pd.DataFrame(days, columns=["customer_id", "offset", "net_amount"])
    frame["day"] = pd.Timestamp(DAY - timedelta(days=545)) + pd.to_timedelta(frame["offset"], unit="D")
    return frame


def panel(bought: pd.DataFrame, params: Params = PARAMS) -> pd.DataFrame:
    """Features as of each cut-off of DAY, from what happened before it."""
    parts = []
    for cutoff in cutoffs(DAY, params):
        before = bought[bought["day"] < pd.Timestamp(cutoff)].groupby("customer_id")
        part = before.agg(
            first_purchase_date=("day", "min"),
            last_purchase_date=("day", "max"),
            purchase_days=("day", "size"),
            net_amount=("net_amount", "sum"),
            mean_day_amount=("net_amount", "mean"),
        ).reset_index()
        parts.append(part.assign(cutoff_date=pd.Timestamp(cutoff), margin_amount=0.0, costed_net_amount=0.0))
    return pd.concat(parts, ignore_index=True)


NOBODY = panel(purchases(1)).iloc[:0]


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return learn(panel(purchases(300)), DAY, KNOWN, PARAMS)


def test_a_day_learns_from_its_own_cut_off_and_is_tested_one_horizon_before_it(trained: TrainedModel) -> None:
    (horizon,) = PARAMS.horizons
    own = DAY + timedelta(days=1)
    first, *earlier = cutoffs(DAY, PARAMS)
    assert first == own
    assert earlier == sorted(set(earlier), reverse=True)
    assert earlier[0] < own
    # The own cut-off and those of back-tests, what their cells and all their champions learn from.
    tested = graded_cutoffs(own, horizon, PARAMS)
    assert tested[0] == own - timedelta(days=horizon)
    of_champions = {day for cutoff in (own, *tested) for day in champion_cutoffs(cutoff, horizon, PARAMS)}
    of_cells = {cutoff - timedelta(days=horizon) for cutoff in (own, *tested)}
    assert of_cells | of_champions == {own, *earlier}
    assert trained.model.cutoff == own
    (test,) = trained.backtests
    assert (test.horizon, test.cutoff) == (horizon, own - timedelta(days=horizon))
    assert test.figures["auc"] is not None
    assert sum(row["customers"] for row in test.calibration) == len(
        panel(purchases(300)).query("cutoff_date == @test.cutoff")
    )


def test_what_came_after_the_cut_off_changes_no_byte_of_a_model(trained: TrainedModel) -> None:
    bought = purchases(300)
    later = bought["day"] > pd.Timestamp(DAY)
    assert later.sum() > 100
    truncated = bought[~later]
    others = bought["net_amount"].sample(frac=1, random_state=1).to_numpy()
    shuffled = bought.assign(net_amount=bought["net_amount"].where(~later, others))
    for seen in (truncated, shuffled, bought.sample(frac=1, random_state=2)):
        assert learn(panel(seen), DAY, KNOWN, PARAMS).to_json() == trained.to_json()


def test_nobody_to_learn_from_is_a_model_that_says_so() -> None:
    nobody = learn(NOBODY, DAY, KNOWN, PARAMS)
    assert (nobody.model.rung, nobody.model.reason, nobody.backtests) == ("none", "no customers to learn from", ())
    assert TrainedModel.from_json(nobody.to_json()) == nobody


def test_a_model_comes_back_from_its_file_byte_for_byte(trained: TrainedModel, tmp_path: Path) -> None:
    write_model(tmp_path, trained.version, trained.to_json())
    written = (tmp_path / f"{trained.version}.json").stat()
    write_model(tmp_path, trained.version, "something else")
    assert (tmp_path / f"{trained.version}.json").stat().st_mtime_ns == written.st_mtime_ns
    assert read_models(tmp_path) == {trained.version: trained}
    assert read_models(tmp_path)[trained.version].to_json() == trained.to_json()


def test_an_altered_or_foreign_model_is_refused_by_name(trained: TrainedModel, tmp_path: Path) -> None:
    file = tmp_path / f"{trained.version}.json"
    file.write_text(trained.to_json() + "\n", encoding="utf-8")
    with pytest.raises(ModelStoreError, match=rf"{trained.version}\.json has the sha256 .*, expected that of its name"):
        read_models(tmp_path)
    file.unlink()
    foreign = '{"as_of_date": "2025-06-30"}'
    (tmp_path / f"2025-06-30-{hashlib.sha256(foreign.encode()).hexdigest()[:12]}.json").write_text(foreign)
    with pytest.raises(ModelStoreError, match="is not a model this version of the code can read"):
        read_models(tmp_path)


def later(days: int) -> tuple[date, datetime]:
    return DAY + timedelta(days=days), KNOWN + timedelta(days=days)


def test_a_model_stands_until_it_is_as_old_as_the_parameters_say(trained: TrainedModel) -> None:
    age = PARAMS.retrain_after_days
    stored = {trained.version: trained}
    last, first = later(age - 1), later(age)
    assert plan_models([last, first], stored, {}, PARAMS) == [
        PlannedModel(last[0], trained.version, None),
        PlannedModel(first[0], None, first[0]),
    ]


def test_a_day_takes_no_model_that_knows_more_than_it_does(trained: TrainedModel) -> None:
    stored = {trained.version: trained}
    (earlier,) = plan_models([later(-1)], stored, {}, PARAMS)
    assert earlier.trained_on == earlier.as_of_date
    (known_less,) = plan_models([(DAY, KNOWN - timedelta(microseconds=1))], stored, {}, PARAMS)
    assert known_less.trained_on == DAY


def test_a_decided_day_keeps_its_model_or_the_run_stops(trained: TrainedModel) -> None:
    day = later(100)
    assert (
        plan_models([day], {trained.version: trained}, {day[0]: trained.version}, PARAMS)[0].version == trained.version
    )
    assert plan_models([day], {}, {day[0]: NO_MODEL}, PARAMS)[0].version == NO_MODEL
    with pytest.raises(ModelStoreError, match=rf"models: {trained.version}\.json is missing, which decided {day[0]}"):
        plan_models([day], {}, {day[0]: trained.version}, PARAMS)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12))
def test_a_range_plans_its_models_as_its_days_would_one_by_one(steps: list[int]) -> None:
    days = [later(sum(steps[: place + 1])) for place in range(len(steps))]
    together = [(plan.as_of_date, plan.trained_on) for plan in plan_models(days, {}, {}, PARAMS)]
    alone = []
    stored: dict[str, TrainedModel] = {}
    empty = learn(NOBODY, DAY, KNOWN, PARAMS).model
    for day, known_at in days:
        (plan,) = plan_models([(day, known_at)], stored, {}, PARAMS)
        if plan.trained_on:
            model = TrainedModel(day, known_at, empty, ())
            stored[model.version] = model
            alone.append((day, day))
        else:
            alone.append((day, stored[str(plan.version)].as_of_date))
    assert together == alone
