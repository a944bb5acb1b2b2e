"""How a policy judges customers whose figures are other than they are, all others being as they are.

Arrays over customers, whole numbers throughout: every comparison and every rounding is the one of the models' SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from orchestration.gaps.rules import RATE_UNIT, SCORE_UNIT, WEIGHT_UNIT, Rules, least, unit_of, whole

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NONE = -1


@dataclass(frozen=True)
class Figure:
    """Whole numbers of the figure's unit, and where there is one at all."""

    values: Ints
    known: Bools

    def of(self, who: Ints) -> Figure:
        return Figure(self.values[who], self.known[who])


@dataclass(frozen=True)
class Judged:
    """Places of bands in the order of ``Rules.bands``, NONE where the lens cannot judge; scores in SCORE_UNITs."""

    band: Ints
    score: Ints

    @property
    def is_known(self) -> Bools:
        return np.asarray(self.band != NONE)


@dataclass(frozen=True)
class _Standing:
    """A figure of those who are compared, in order, and who they are."""

    ordered: Ints
    figure: Ints
    inside: Bools

    @classmethod
    def of(cls, figure: Ints, inside: Bools) -> _Standing:
        return cls(np.sort(figure[inside]), figure, inside)

    def below(self, who: Ints, own: Ints) -> Ints:
        """How many others have less than each of ``who`` would have."""
        below = np.searchsorted(self.ordered, own, side="left")
        return np.asarray(below - (self.inside[who] & (self.figure[who] < own)), dtype=np.int64)

    def count(self, who: Ints) -> Ints:
        """How many are compared, each of ``who`` among them."""
        return np.asarray(len(self.ordered) + ~self.inside[who], dtype=np.int64)


class Judging:
    """The lenses of ``rules`` among customers with the figures of today, known by their places."""

    def __init__(self, rules: Rules, today: Mapping[str, Figure], texts: Mapping[str, npt.NDArray[np.object_]]) -> None:
        self.rules, self.today, self.texts = rules, today, texts
        self._standings: dict[str, _Standing] = {}

    def tier_score(self, who: Ints, own: Mapping[str, Figure]) -> Ints:
        """In SCORE_UNITs. ``own``: the figures that are other than today's, shape (m,) as ``who``."""
        points, present = np.zeros(len(who), np.int64), np.zeros(len(who), np.int64)
        for lens, weight in self.rules.weights["tier"].items():
            score, counts = self._counted(lens, self.judged(lens, who, own))
            points += np.where(counts, score * weight, 0)
            present += np.where(counts, weight, 0)
        base = whole(self.rules.parameters["tier_base_score"], SCORE_UNIT)
        return base + rounded_quotient(points, present)

    def judged(self, lens: str, who: Ints, own: Mapping[str, Figure]) -> Judged:
        rule = self.rules.lenses[lens]
        method, name = rule["method"], rule["indicator"]
        if method == "quantile":
            return self._quantile(who, own)
        if method == "share":
            band = self._share(lens, who, own)
        elif method == "cut":
            figure = self._figure(name, who, own)
            band = np.where(figure.known, self._held(lens, figure.values, unit_of(name)), NONE)
        elif method == "rank":
            band = self._rank(lens, name, who, own)
        elif method == "label":
            places = {row["label"]: self._place(lens, row["band"]) for row in self.rules.labels[lens]}
            band = np.array([places.get(text, NONE) for text in self.texts[name][who]], dtype=np.int64)
        elif method == "weighted":
            band = self._weighted(lens, who, own)
        else:
            band = self._by_parts(lens, who, own)
        scores = [0 if row["score"] is None else whole(row["score"], SCORE_UNIT) for row in self.rules.bands[lens]]
        return Judged(band, np.array(scores, dtype=np.int64)[band])

    def _figure(self, name: str, who: Ints, own: Mapping[str, Figure]) -> Figure:
        return own[name] if name in own else self.today[name].of(who)

    def _counted(self, lens: str, judged: Judged) -> tuple[Ints, Bools]:
        """The score of a lens that others weigh, its fallback's where it cannot judge, and whether it counts at all."""
        rule = self.rules.lenses[lens]
        score = np.where(judged.is_known, judged.score, whole(rule["fallback_score"], SCORE_UNIT))
        return score, np.asarray(judged.is_known | (rule["on_missing"] != "renormalise"))

    def _place(self, lens: str, band: str) -> int:
        return [row["band"] for row in self.rules.bands[lens]].index(band)

    def _held(self, lens: str, values: Ints, unit: int, whole_of: Ints | None = None) -> Ints:
        """The place of the band whose bounds hold a figure, or a part of ``whole_of``: bands tile the line."""
        bounds = [row["lower_bound"] for row in self.rules.bands[lens][1:]]
        reached = np.zeros(len(values), np.int64)
        for bound in bounds:
            if whole_of is None:
                reached += values >= least(bound, unit)
            else:
                # The least part that is not below it, without a product that 64 bits could not hold.
                times = whole(bound, RATE_UNIT)
                high, low = np.divmod(whole_of, RATE_UNIT)
                reached += values >= high * times - (-low * times // RATE_UNIT)
        return reached

    def _rank(self, lens: str, name: str, who: Ints, own: Mapping[str, Figure]) -> Ints:
        if name not in self._standings:
            self._standings[name] = _Standing.of(self.today[name].values, self.today[name].known)
        figure, standing = self._figure(name, who, own), self._standings[name]
        band = self._held(lens, standing.below(who, figure.values), RATE_UNIT, standing.count(who))
        return np.where(figure.known, band, NONE)

    @cached_property
    def _buyers(self) -> Bools:
        """Who is compared by RFM today."""
        return self._compared(np.arange(len(self.today["order_count_365d"].values)), {})

    def _compared(self, who: Ints, own: Mapping[str, Figure]) -> Bools:
        metrics = [self._figure(row["indicator"], who, own).known for row in self.rules.metrics.values()]
        has_orders = self._figure("order_count_365d", who, own).values > 0
        return np.asarray(np.logical_and.reduce([has_orders, *metrics]), dtype=np.bool_)

    def _quantile(self, who: Ints, own: Mapping[str, Figure]) -> Judged:
        groups, marks = int(self.rules.parameters["quantile_count"]), []
        for factor in ("recency", "frequency", "monetary"):
            row = self.rules.metrics[factor]
            name, sign = row["indicator"], -1 if row["is_less_better"] else 1
            if factor not in self._standings:
                self._standings[factor] = _Standing.of(self.today[name].values * sign, self._buyers)
            standing = self._standings[factor]
            below = standing.below(who, self._figure(name, who, own).values * sign)
            marks.append(np.minimum(groups * below // standing.count(who), groups - 1))
        band = np.where(self._compared(who, own), 0, NONE)
        return Judged(band, self._cells[tuple(marks)])

    @cached_property
    def _cells(self) -> Ints:
        """What each cell of marks from 0 is worth."""
        groups, full = int(self.rules.parameters["quantile_count"]), self.rules.parameters["score_scale"]
        weights = [self.rules.weights["rfm"][factor] for factor in ("recency", "frequency", "monetary")]
        cells = np.zeros((groups,) * 3, np.int64)
        for marks in product(range(groups), repeat=3):
            points = sum(weight * mark for weight, mark in zip(weights, marks, strict=True))
            cells[marks] = whole(full * points / (WEIGHT_UNIT * (groups - 1)), SCORE_UNIT)
        return cells

    def _share(self, lens: str, who: Ints, own: Mapping[str, Figure]) -> Ints:
        margins, everyone = self.today["margin_amount_365d"].values, np.arange(len(self._buyers))
        inside = self._has_margin(everyone, {})
        if "share" not in self._standings:
            self._standings["share"] = _Standing.of(margins, inside)
        ordered = self._standings["share"].ordered
        held = np.concatenate([np.maximum(ordered, 0)[::-1].cumsum()[::-1], [0]])
        figure = self._figure("margin_amount_365d", who, own).values
        today = np.where(inside[who], margins[who], 0)
        before = held[np.searchsorted(ordered, figure, side="right")] - np.where(
            today > figure, np.maximum(today, 0), 0
        )
        total = held[0] - np.maximum(today, 0) + np.maximum(figure, 0)
        return np.where(self._has_margin(who, own), self._held(lens, before, RATE_UNIT, total), NONE)

    def _has_margin(self, who: Ints, own: Mapping[str, Figure]) -> Bools:
        orders, margin, net, costless = (
            self._figure(name, who, own).values
            for name in ("order_count_365d", "margin_amount_365d", "net_amount_365d", "costless_amount_365d")
        )
        return np.asarray((orders > 0) & ((margin != 0) | (net != costless)))

    def _weighted(self, lens: str, who: Ints, own: Mapping[str, Figure]) -> Ints:
        points, present = np.zeros(len(who), np.int64), np.zeros(len(who), np.int64)
        is_known = np.zeros(len(who), np.bool_)
        for factor, weight in self.rules.weights[lens].items():
            judged = self.judged(factor, who, own)
            score, counts = self._counted(factor, judged)
            points += np.where(counts, score * weight, 0)
            present += np.where(counts, weight, 0)
            is_known |= judged.is_known
        return np.where(is_known, self._held(lens, rounded_quotient(points, present), SCORE_UNIT), NONE)

    def _by_parts(self, lens: str, who: Ints, own: Mapping[str, Figure]) -> Ints:
        """matrix, worst and best: the band that the bands of parts lead to."""
        judged = {part: self.judged(part, who, own) for part in self.rules.parts_of(lens)}
        if self.rules.lenses[lens]["method"] == "matrix":
            (first, *_) = rows = self.rules.matrices[lens]
            sides = first["row_lens"], first["column_lens"]
            cells = np.full([len(self.rules.bands[side]) + 1 for side in sides], NONE, np.int64)
            for row in rows:
                cell = self._place(sides[0], row["row_band"]), self._place(sides[1], row["column_band"])
                cells[cell] = self._place(lens, row["band"])
            return np.asarray(cells[judged[sides[0]].band, judged[sides[1]].band])
        is_best = self.rules.lenses[lens]["method"] == "best"
        none = np.iinfo(np.int64).max if is_best else NONE
        found = np.full(len(who), none, np.int64)
        may_judge = np.ones(len(who), np.bool_)
        for row in self.rules.parts[lens]:
            ranks = np.array([*(band["band_rank"] for band in self.rules.bands[row["part"]]), none], dtype=np.int64)
            rank = ranks[judged[row["part"]].band]
            found = np.minimum(found, rank) if is_best else np.maximum(found, rank)
            may_judge &= judged[row["part"]].is_known | (not row["is_required"])
        places = np.full(len(who), NONE, np.int64)
        for place, band in enumerate(self.rules.bands[lens]):
            places[found == band["band_rank"]] = place
        return np.where(may_judge, places, NONE)


def rounded_quotient(points: Ints, weight: Ints) -> Ints:
    """Half away from zero; nothing where nothing weighs."""
    some = np.maximum(weight, 1)
    return np.asarray(np.sign(points) * ((2 * np.abs(points) + some) // (2 * some)) * (weight > 0), dtype=np.int64)
