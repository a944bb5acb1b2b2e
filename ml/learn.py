"""What a day learns: the model as of its cut-off, and how the same recipe would have done one horizon earlier.

Everything is read from one panel of features as of several cut-offs; outcomes are the difference of two of them, so
that no label reaches past the day's own cut-off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import isfinite
from typing import Any

import pandas as pd

from ml.challenge import Taught, challenged, champion_cutoffs, curved
from ml.drift import Realised, Reference, reference_of
from ml.evaluate import backtest
from ml.evidence import Evidence, evidence_of, evidence_of_mapping
from ml.features import checked_features
from ml.grade import Grade, Judged, grade_of, graded_cutoffs, judged
from ml.params import Params
from ml.promotion import KEPT, Promotion, promotion_of
from ml.train import BaseModel, cells_of, fit

# Of the sha256 in a version's name.
VERSION_DIGITS = 12
# Parts of the document that are left out where there are none.
DRIFT_PARTS = ("references", "realised")


@dataclass(frozen=True)
class Backtest:
    """The model fitted one horizon before the cut-off, against what came: the figures of ``evaluate.backtest``, None
    where the outcomes define none, and its calibration table as rows."""

    horizon: int
    cutoff: date
    rung: str
    figures: Mapping[str, float | None]
    calibration: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class TrainedModel:
    """A model with the day that trained it, what was known then, and its back-tests, one a horizon where possible.

    ``grades``: one a horizon; None in a model of before there were any. ``evidence``: the same of what they rest on.
    ``promotion``: what became of it beside the one in use; None in a model of before there was a gate. ``references``,
    ``realised``: what drift is told by.
    """

    as_of_date: date
    known_at: datetime
    model: BaseModel
    backtests: tuple[Backtest, ...]
    grades: tuple[Grade, ...] | None = None
    evidence: tuple[Evidence, ...] | None = None
    promotion: Promotion | None = None
    references: tuple[Reference, ...] = ()
    realised: tuple[Realised, ...] = ()

    def to_json(self) -> str:
        """Canonical, so that equal models have equal bytes."""
        content = {
            "as_of_date": self.as_of_date.isoformat(),
            "known_at": self.known_at.astimezone(UTC).isoformat(),
            "model": json.loads(self.model.to_json()),
            "backtests": [asdict(test) | {"cutoff": test.cutoff.isoformat()} for test in self.backtests],
        }
        if self.grades is not None:
            content["grades"] = [asdict(grade) for grade in self.grades]
        if self.evidence is not None:
            content["evidence"] = [asdict(shown) for shown in self.evidence]
        if self.promotion is not None:
            content["promotion"] = asdict(self.promotion)
        for name in DRIFT_PARTS:
            if parts := getattr(self, name):
                content[name] = [asdict(part) for part in parts]
        return json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> TrainedModel:
        """The model that ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        content: dict[str, Any] = json.loads(text)
        tests = [test | {"cutoff": date.fromisoformat(test["cutoff"])} for test in content["backtests"]]
        grades, evidence, promotion = (content.get(name) for name in ("grades", "evidence", "promotion"))
        return cls(
            as_of_date=date.fromisoformat(content["as_of_date"]),
            known_at=datetime.fromisoformat(content["known_at"]),
            model=BaseModel.from_json(json.dumps(content["model"])),
            backtests=tuple(Backtest(**test | {"calibration": tuple(test["calibration"])}) for test in tests),
            grades=None if grades is None else tuple(_grade_of_mapping(grade) for grade in grades),
            evidence=None if evidence is None else tuple(evidence_of_mapping(shown) for shown in evidence),
            promotion=promotion_of(promotion) if promotion else None,
            references=tuple(reference_of(part) for part in content.get("references", ())),
            realised=tuple(Realised(**part) for part in content.get("realised", ())),
        )

    def grade_of(self, horizon: int) -> Grade | None:
        """How far a horizon's scores are to be believed; None for a model that was never graded."""
        return next((grade for grade in self.grades or () if grade.horizon == horizon), None)

    @property
    def speaker(self) -> str:
        """The version that speaks from its day on: its own, or that of the model in use, which was kept."""
        kept = self.promotion.champion if self.promotion and self.promotion.verdict == KEPT else None
        return kept or self.version

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def version(self) -> str:
        """The training day and the first digits of the sha256."""
        return f"{self.as_of_date}-{self.sha256[:VERSION_DIGITS]}"


def cutoffs(as_of_date: date, params: Params) -> list[date]:
    """The cut-offs whose features a day learns from: its own, the day after it, one and two horizons earlier, what
    champions of the own one and of the back-test's look at, and the same of those it is graded at."""
    own = as_of_date + timedelta(days=1)
    earlier = {own - timedelta(days=times * horizon) for horizon in params.horizons for times in (1, 2)}
    for horizon in params.horizons:
        for cutoff in (own, own - timedelta(days=horizon)):
            earlier |= champion_cutoffs(cutoff, horizon, params) - {own}
        for cutoff in graded_cutoffs(own, horizon, params):
            earlier |= {cutoff + timedelta(days=times * horizon) for times in (-1, 1)} - {own}
            earlier |= champion_cutoffs(cutoff, horizon, params)
    return [own, *sorted(earlier, reverse=True)]


@dataclass(frozen=True)
class Lesson:
    """A day's model and what it was learned from: features by cut-off, and by horizon the same recipe as of past ones,
    with scores that nobody withheld."""

    trained: TrainedModel
    known: Mapping[date, pd.DataFrame]
    past: Mapping[int, Mapping[date, BaseModel]]


def learn(panel: pd.DataFrame, as_of_date: date, known_at: datetime, params: Params) -> TrainedModel:
    """The model of a day. ``panel``: cutoff_date and the columns of ``train.fit``, as of each of ``cutoffs``.

    Raises FeaturesError and LeakError as ``train.fit`` does.
    """
    return lesson_of(panel, as_of_date, known_at, params).trained


def lesson_of(panel: pd.DataFrame, as_of_date: date, known_at: datetime, params: Params) -> Lesson:
    """As ``learn``, with what a trial of the model looks at."""
    features = panel.drop(columns="cutoff_date")
    by_cutoff = {day.date(): rows for day, rows in features.groupby(pd.to_datetime(panel["cutoff_date"]))}
    (own, *earlier), nobody = cutoffs(as_of_date, params), features.head(0)
    known = {cutoff: checked_features(by_cutoff.get(cutoff, nobody), cutoff) for cutoff in (own, *earlier)}
    past = {horizon: known[own - timedelta(days=horizon)] for horizon in params.horizons}
    model = fit(known[own], own, params, past)
    tests, grades, evidence, pasts = [], [], [], dict[int, dict[date, BaseModel]]()
    for horizon in params.horizons:
        taught: Taught = {}
        model, before = challenged(model, known, horizon, taught), own - timedelta(days=horizon)
        model = curved(model, known, horizon, taught)
        is_withheld, pasts[horizon] = False, _past_models(known, own, horizon, params, taught)
        if params.grade is not None:
            past_tests = _judged(known, pasts[horizon], horizon)
            grades.append(grade_of(past_tests, horizon, model.rung_of(horizon), params))
            evidence.append(evidence_of(past_tests, grades[-1].rules, horizon, params))
            if is_withheld := grades[-1].grade == "C":
                model = withheld(model, known[own], past[horizon], horizon)
        if len(past[horizon]):
            of_past = pasts[horizon].get(before) or past_model(known, before, horizon, params, taught)
            of_past = curved(of_past, known, horizon, taught)
            if is_withheld:
                of_past = withheld(of_past, known[before], known[before - timedelta(days=horizon)], horizon)
            tests.append(_backtest(known, of_past))
    graded = (tuple(grades), tuple(evidence)) if params.grade is not None else (None, None)
    return Lesson(TrainedModel(as_of_date, known_at, model, tuple(tests), *graded), known, pasts)


def withheld(model: BaseModel, features: pd.DataFrame, past: pd.DataFrame, horizon: int) -> BaseModel:
    """The model with its scores of a horizon replaced by the simple rule, recency x frequency cells.

    ``past``: features one horizon before. A rung that is no higher than the cells is the rule already; any stays where
    too few customers were known then to learn cells from. The reason says what changed, or why nothing did.
    """
    if model.rung_of(horizon) not in ("champion", "btyd"):
        return model
    if len(past) < model.params.min_customers:
        return replace(
            model, reason=f"{model.reason}; grade C of {horizon} days, but {len(past)} are too few for a rule"
        )
    cells = model.cells
    if model.rung != "rfm_cells":
        cells += tuple(cells_of(checked_features(features, model.cutoff), past, model.cutoff, horizon, model.params))
    reason = f"{model.reason}; grade C: scores of {horizon} days are withheld, recency x frequency cells speak"
    return replace(model, reason=reason, cells=cells, withheld=(*model.withheld, horizon))


def past_model(
    known: Mapping[date, pd.DataFrame], cutoff: date, horizon: int, params: Params, taught: Taught
) -> BaseModel:
    """By the same recipe from what had happened by a past cut-off, for one horizon."""
    past = {horizon: known[cutoff - timedelta(days=horizon)]}
    model = fit(known[cutoff], cutoff, replace(params, horizons=(horizon,)), past)
    return challenged(model, known, horizon, taught)


def _past_models(
    known: Mapping[date, pd.DataFrame], own: date, horizon: int, params: Params, taught: Taught
) -> dict[date, BaseModel]:
    """The recipe at rolling cut-offs that had customers."""
    cutoffs_with = [cutoff for cutoff in graded_cutoffs(own, horizon, params) if len(known[cutoff])]
    return {cutoff: past_model(known, cutoff, horizon, params, taught) for cutoff in cutoffs_with}


def _judged(known: Mapping[date, pd.DataFrame], past: Mapping[date, BaseModel], horizon: int) -> list[Judged]:
    """The same recipe at past cut-offs, each against what came in its horizon."""
    return [
        judged(then, known[cutoff], known[cutoff + timedelta(days=horizon)], horizon) for cutoff, then in past.items()
    ]


def _grade_of_mapping(content: dict[str, Any]) -> Grade:
    lists = {name: tuple(content[name]) for name in ("reasons", "cutoffs")}
    return Grade(**content | lists)


def _backtest(known: Mapping[date, pd.DataFrame], model: BaseModel) -> Backtest:
    """A model of one horizon before the day's cut-off against the horizon that followed."""
    (horizon,), cutoff = model.params.horizons, model.cutoff
    own = cutoff + timedelta(days=horizon)
    before, after = checked_features(known[cutoff], cutoff), checked_features(known[own], own)
    came = after.by_customer.reindex(before["customer_id"])
    outcomes = pd.DataFrame(
        {
            "customer_id": before["customer_id"],
            "purchase_count": came["purchase_days"].to_numpy() - before["purchase_days"],
            "net_amount": came["net_amount"].to_numpy() - before["net_amount"],
        }
    )
    figures, calibration = backtest(before, outcomes, model, horizon)
    rows = [{str(name): float(value) for name, value in row.items()} for row in calibration.to_dict("records")]
    finite = {name: value if isfinite(value) else None for name, value in figures.items()}
    return Backtest(horizon, cutoff, model.rung_of(horizon), finite, tuple(rows))
