"""Promises of the gate in a run: a training day keeps the model in use or takes the new one, and its release says
so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
from installation import Published, copy_of, current, rows, settings_of, tiering

from data_quality.model_drift import model_drift_rules
from ml.drift import load_drift_params
from ml.learn import TrainedModel
from ml.params import load_params
from ml.store import plan_models, read_models, write_model
from orchestration.trials import tell_drift
from orchestration.warehouse import open_warehouse

FEATURES = "select * exclude (as_of_date) from intermediate.int_customers__features where as_of_date = ?"
WARNED = """
    select check_name, status, severity from audit_checks
    where subject = 'customer_scores' and check_name in ('drift_of_model_inputs_as_usual',
        'drift_of_model_scores_as_usual', 'predictions_beside_what_came_as_usual') and status <> 'pass'
"""
# Not yet too old to be judged, and old enough to be judged itself, not by a stand-in, in the longest horizon.
AGE = timedelta(days=177)
TOLD = """
    select verdict, champion_version, spoken_version, model_version, cutoff_count from audit_models
    where verdict <> 'first' and horizon_days = 90
"""


def planted(home: Path, *, is_wrong: bool) -> TrainedModel:
    """The home's model as if it were the only one and so old that its day trains the next; ``is_wrong``: with the best
    cells of each horizon for the worst."""
    models = settings_of(home).models
    (found,) = read_models(models).values()
    (models / f"{found.version}.json").unlink()
    answers = ("inactive_probability", "purchase_count", "net_amount", "day_amount")
    cells = found.model.cells
    if is_wrong:
        best, worst = (sorted(cells, key=lambda cell: (cell.horizon, sign * cell.net_amount)) for sign in (1, -1))
        cells = tuple(
            replace(cell, **{name: getattr(other, name) * 2 ** (name in answers[1:3]) for name in answers})
            for cell, other in zip(best, worst, strict=True)
        )
    model = replace(found.model, cells=cells, cutoff=found.model.cutoff - AGE)
    old = replace(found, as_of_date=found.as_of_date - AGE, known_at=found.known_at - AGE, model=model)
    write_model(models, old.version, old.to_json())
    return old


def trials(home: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(current(home) / "serving.duckdb"), read_only=True) as release:
        return release.execute(TOLD).fetchall()


def test_a_model_that_is_not_shown_to_be_better_does_not_take_the_place(
    published_home: Published, tmp_path: Path
) -> None:
    home = copy_of(published_home, tmp_path)
    old = planted(home, is_wrong=False)
    day = published_home.next_day
    told = tiering(home, "run", "--date", str(day))
    assert told.returncode == 0, told.stderr
    ((verdict, champion, spoken, refused, cutoffs),) = trials(home)
    assert (verdict, champion, spoken, cutoffs) == ("kept", old.version, old.version, 3)
    decided = home / "decisions" / f"{day}.parquet"
    assert rows("select distinct model_version from read_parquet(?)", [str(decided)]) == [(old.version,)]
    assert json.loads((current(home) / "manifest.json").read_text(encoding="utf-8"))["model_version"] == old.version
    assert "The model in use was kept" in (current(home) / "report.html").read_text(encoding="utf-8")
    # The refused one is stored with its verdict and counts as the last try: the next day trains none.
    stored = read_models(settings_of(home).models)
    assert set(stored) == {old.version, refused}
    tomorrow = day + timedelta(days=1), stored[str(refused)].known_at + timedelta(days=1)
    assert plan_models([tomorrow], stored, {}, load_params())[0].version == old.version
    # What it had said before four past cut-offs has come or not, and is told.
    with duckdb.connect(str(current(home) / "serving.duckdb"), read_only=True) as release:
        drifts = release.execute(
            "select distinct topic, model_version, measure from audit_drift order by all"
        ).fetchall()
        (days,) = release.execute(
            "select count(distinct since_date) from audit_drift where horizon_days = 90"
        ).fetchall()[0]
    assert drifts == [("realised", old.version, measure) for measure in ("buyers", "count", "value")]
    assert days == 4
    again = tiering(home, "reproduce")
    assert again.returncode == 0, again.stderr + again.stdout


def test_a_model_that_is_better_takes_the_place(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    old = planted(home, is_wrong=True)
    told = tiering(home, "run", "--date", str(published_home.next_day))
    assert told.returncode == 0, told.stderr
    ((verdict, champion, spoken, new, cutoffs),) = trials(home)
    assert (verdict, champion, cutoffs) == ("promoted", old.version, 3)
    assert spoken == new
    decided = home / "decisions" / f"{published_home.next_day}.parquet"
    assert rows("select distinct model_version from read_parquet(?)", [str(decided)]) == [(new,)]
    assert "The new model was taken" in (current(home) / "report.html").read_text(encoding="utf-8")
    # A model that far off is warned of, and the release goes out all the same.
    with duckdb.connect(str(current(home) / "serving.duckdb"), read_only=True) as release:
        warned = release.execute(WARNED).fetchall()
    assert warned == [("predictions_beside_what_came_as_usual", "warn", "warning")]


def test_customers_unlike_those_of_the_training_day_are_told_and_the_same_are_not(
    published_home: Published, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    # The tiny company is smaller than what drift is told of.
    given = replace(load_drift_params(), min_customers=20)
    known = read_models(settings.models)
    with open_warehouse(settings) as build:
        (as_of_date, known_at), *_ = build.execute(
            "select max(as_of_date), max(known_at) from run.run_dates"
        ).fetchall()
        features = build.execute(FEATURES, [as_of_date]).df()
        found = {}
        for name, times in (("same", 1.0), ("other", 4.0)):
            other = features.assign(
                **{column: features[column].astype(float) * times for column in features if "amount" in column}
            )
            build.execute("delete from ml.drifts")
            tell_drift(build, known, *known.values(), other, day=(as_of_date, known_at), given=given)
            rows_of = build.execute("select topic, measure, level from ml.drifts").fetchall()
            broken = [
                rule.measure
                for rule in model_drift_rules(build)
                if build.execute(rule.violations("ml.drifts")).fetchall()
            ]
            found[name] = {row[1] for row in rows_of if row[2] == "alarm"}, broken
            assert {row[0] for row in rows_of} == {"input", "score"}
    assert found["same"] == (set(), [])
    alarmed, broken = found["other"]
    assert {"mean_day_amount", "newest_days_amount"} <= alarmed
    assert "silent_days" not in alarmed
    assert broken == ["drift_of_model_inputs"]
