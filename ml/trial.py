"""A training day's challenger against the champion, each judged where it had not seen what came.

A challenger is judged by its recipe, learned again from what was known by each past cut-off. A champion is judged
itself where its own cut-off is not later; elsewhere its recipe stands in, learned again from what was known as long
before the cut-off as the champion is old today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from ml.challenge import champion_cutoffs
from ml.drift import Realised, realised
from ml.grade import Judged, graded_cutoffs, judged
from ml.learn import Lesson, TrainedModel, past_model, withheld
from ml.promotion import FIRST, FORCED, Contest, Promotion, PromotionParams, contest, decided
from ml.store import speakers
from ml.train import BaseModel


def tried(lesson: Lesson, champion: TrainedModel | None, given: PromotionParams) -> TrainedModel:
    """The challenger that a lesson taught, with the verdict of the gate in its document. ``champion``: the model in use
    before the day, if there is one."""
    challenger = lesson.trained
    if champion is None:
        return replace(challenger, promotion=Promotion(FIRST, "first", None))
    version = champion.version
    if reason := _unjudged(challenger, champion, given):
        return replace(challenger, promotion=Promotion(FORCED, reason, version))
    try:
        contests = [_contest(lesson, champion, horizon, given) for horizon in challenger.model.params.horizons]
    except _UnknownPast:
        return replace(challenger, promotion=Promotion(FORCED, "recipe", version))
    return replace(challenger, promotion=decided(version, contests, given))


def looked_back(lesson: Lesson, stored: Mapping[str, TrainedModel]) -> tuple[Realised, ...]:
    """What the models in use before past cut-offs had said of the horizons that have ended since, and what came."""
    trained, found = lesson.trained, []
    for horizon in trained.model.params.horizons:
        grid = graded_cutoffs(trained.model.cutoff, horizon, trained.model.params)
        by_day = speakers(stored, [cutoff - timedelta(days=1) for cutoff in grid], trained.known_at)
        for day, model in by_day.items():
            cutoff = day + timedelta(days=1)
            before, after = lesson.known[cutoff], lesson.known[cutoff + timedelta(days=horizon)]
            if len(before) and horizon in model.model.params.horizons and model.model.rung_of(horizon) != "none":
                found.append(realised(judged(model.model, before, after, horizon, cutoff), horizon, model.version))
    return tuple(found)


class _UnknownPast(ValueError):
    """The recipe wants features of cut-offs that the panel does not have."""


@dataclass(frozen=True)
class _Recipe:
    """A model's own way of learning in a horizon. ``past``: by it at past cut-offs, nothing withheld; filled."""

    model: BaseModel
    known: Mapping[date, pd.DataFrame]
    past: dict[date, BaseModel]
    horizon: int

    def judged_at(self, cutoff: date, learned: date) -> Judged:
        """What it would have said at a cut-off, learned from what was known by another one that is not later."""
        if learned not in self.past:
            self.past[learned] = self._again(learned)
        model = self.past[learned]
        if self.horizon in self.model.withheld:
            before = learned - timedelta(days=self.horizon)
            model = withheld(model, self.known[learned], self.known[before], self.horizon)
        return judged(
            model, self.known[cutoff], self.known[cutoff + timedelta(days=self.horizon)], self.horizon, cutoff
        )

    def _again(self, learned: date) -> BaseModel:
        if not champion_cutoffs(learned, self.horizon, self.model.params) <= self.known.keys():
            raise _UnknownPast
        return past_model(self.known, learned, self.horizon, self.model.params, {})


def _unjudged(challenger: TrainedModel, champion: TrainedModel, given: PromotionParams) -> str | None:
    """Why there is nothing to judge, and the challenger is taken."""
    if (challenger.as_of_date - champion.as_of_date).days >= given.max_age_days:
        return "old"
    if not set(challenger.model.params.horizons) <= set(champion.model.params.horizons):
        return "horizons"
    if challenger.model.withheld != champion.model.withheld:
        return "grade"
    return None


def _contest(lesson: Lesson, champion: TrainedModel, horizon: int, given: PromotionParams) -> Contest:
    mine = lesson.trained.model
    challenging = _Recipe(mine, lesson.known, dict(lesson.past[horizon]), horizon)
    is_alike = champion.model.params == mine.params
    standing = challenging if is_alike else _Recipe(champion.model, lesson.known, {}, horizon)
    pairs, learned = [], []
    for cutoff, stand_in in _judged_cutoffs(lesson, champion, horizon):
        if stand_in is None:
            after = lesson.known[cutoff + timedelta(days=horizon)]
            said = judged(champion.model, lesson.known[cutoff], after, horizon, cutoff)
        else:
            said = standing.judged_at(cutoff, stand_in)
        pairs.append((challenging.judged_at(cutoff, cutoff), said))
        learned.append((stand_in or champion.model.cutoff).isoformat())
        if len(pairs) == given.cutoffs:
            break
    return contest(pairs, horizon, learned, mine.params.calibration_bins, given)


def _judged_cutoffs(lesson: Lesson, champion: TrainedModel, horizon: int) -> Iterator[tuple[date, date | None]]:
    """Past cut-offs that had customers, newest first, each with up to when the champion's stand-in learns; None where
    the champion itself had not seen what came. Where the panel does not reach back far enough the stand-in is younger
    than the champion, which is in the champion's favour."""
    own, params = lesson.trained.model.cutoff, lesson.trained.model.params
    grid = [cutoff for cutoff in graded_cutoffs(own, horizon, params) if len(lesson.known[cutoff])]
    age = own - champion.model.cutoff
    for cutoff in grid:
        older = [earlier for earlier in grid if earlier < cutoff]
        if champion.model.cutoff <= cutoff:
            yield cutoff, None
        elif older:
            wanted = cutoff - age
            yield cutoff, min(older, key=lambda earlier: (abs((earlier - wanted).days), earlier))
