"""Whether scores may be believed: A, B or C from back-tests at rolling cut-offs, against the best of simple rules.

Arrays and figures in, a grade with its reasons out. How past models are fitted is learn.py's; what follows from a C is
not decided here. Customers are resampled whole, with all their cut-offs, since the rows of one customer are no news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from math import isfinite, log

import numpy as np
import pandas as pd

from ml.btyd import Floats
from ml.challenge import step_days
from ml.evaluate import calibration_table
from ml.features import checked_features
from ml.params import GradeParams, Params
from ml.resamples import Weights, resampled, weighted_auc, weighted_ginis
from ml.score import PROBABILITY_DIGITS, outlook
from ml.train import BaseModel

MEASURES = ("auc", "gini")
FIGURE_DIGITS = 6


@dataclass(frozen=True)
class Grade:
    """``grade`` A: lift, calibration and stability; B: lift alone, or too few cut-offs to tell; C: no lift is shown.

    ``reasons``: what was missed, as names of ``REASONS``. ``rules``: by measure the simple rule that came nearest.
    Figures that cannot be told are None. ``cutoffs`` as ISO dates, newest first; ``rung``: of the model graded.
    """

    horizon: int
    grade: str
    reasons: tuple[str, ...]
    rung: str
    cutoffs: tuple[str, ...]
    rules: Mapping[str, str]
    figures: Mapping[str, float | None]

    @property
    def reason(self) -> str:
        """One line of plain English."""
        missed = "; ".join(REASONS[name] for name in self.reasons)
        return f"{len(self.cutoffs)} cut-offs: {missed or 'lift, calibration and stability hold'}"


# Of a C, then of a B.
NO_LIFT = {
    "nothing_to_test": "no past cut-off to test at",
    "auc_no_lift": "no simple rule is shown to be beaten in who buys",
    "gini_no_lift": "no simple rule is shown to be beaten in who buys for how much",
}
REASONS = NO_LIFT | {
    "few_cutoffs": "too few cut-offs to tell whether it is stable",
    "ece": "probabilities are off",
    "count_bias": "the number of purchases is off",
    "value_bias": "the net sales are off",
    "auc_range": "it orders customers unlike well from cut-off to cut-off",
    "lifting_share": "it falls behind a simple rule at too many cut-offs",
}


@dataclass(frozen=True)
class Judged:
    """A model fitted as of a past cut-off and what came in its horizon; arrays of shape (n,), customers by their ids.

    ``rules``: what simple rules rank by, highest first to buy.
    """

    cutoff: date
    rung: str
    customers: Sequence[str]
    inactive: Floats
    expected_count: Floats
    expected_value: Floats
    count: Floats
    value: Floats
    rules: Mapping[str, Floats]


def graded_cutoffs(own: date, horizon: int, params: Params) -> list[date]:
    """Past cut-offs whose horizon has ended by ``own``, newest first, on the grid that champions learn from."""
    given = params.grade
    if given is None:
        return []
    step = given.spacing_days if params.champion is None else step_days(horizon, params.champion)
    spacing = step * max(1, round(given.spacing_days / step))
    return [own - timedelta(days=horizon + spacing * nth) for nth in range(given.cutoffs)]


def judged(
    model: BaseModel, features: pd.DataFrame, after: pd.DataFrame, horizon: int, cutoff: date | None = None
) -> Judged:
    """``features`` as of ``cutoff``, without one the model's own; ``after`` as of the end of its horizon; both as in
    train.fit."""
    cutoff = cutoff or model.cutoff
    frame = checked_features(features, cutoff)
    looks = outlook(frame, model, cutoff, horizon)
    inactive, count, value = looks.expects(frame, slice(None))
    end = cutoff + timedelta(days=horizon)
    then = checked_features(after, end).by_customer.reindex(frame["customer_id"])
    came = [then[name].to_numpy().astype(np.float64) - frame[name] for name in ("purchase_days", "net_amount")]
    return Judged(
        cutoff=cutoff,
        rung=model.rung_of(horizon),
        customers=tuple(frame["customer_id"]),
        inactive=inactive.round(PROBABILITY_DIGITS),
        expected_count=count,
        expected_value=value,
        count=np.asarray(came[0]),
        value=np.asarray(came[1]),
        rules=_rules(frame, model.params.grade.rfm_quantiles if model.params.grade else 1),
    )


def grade_of(tests: Sequence[Judged], horizon: int, rung: str, params: Params) -> Grade:
    """The grade of a horizon's scores."""
    if (given := params.grade) is None:
        raise ValueError("grade: the parameters have no part 'grade'")
    telling = [test for test in tests if 0 < (test.count > 0).sum() < len(test.customers) and test.value.sum() > 0]
    cutoffs = tuple(test.cutoff.isoformat() for test in telling)
    if not telling:
        return Grade(horizon, "C", ("nothing_to_test",), rung, cutoffs, {}, {})
    lifted, rules = _lift(telling, given)
    figures = lifted | calibration(telling, params.calibration_bins)
    missed = [f"{measure}_no_lift" for measure in MEASURES if not figures[f"{measure}_lift_low"] > 0]
    worst = "C" if missed else "B"
    missed += ["few_cutoffs"] if len(telling) < given.min_cutoffs else []
    missed += ["ece"] if figures["ece"] > given.ece_limit else []
    missed += [name for name in ("count_bias", "value_bias") if not _is_level(figures[name], given.bias_limit)]
    missed += ["auc_range"] if figures["auc_range"] > given.auc_range_limit else []
    missed += ["lifting_share"] if figures["lifting_share"] < given.lifting_share else []
    told = {name: round(value, FIGURE_DIGITS) if isfinite(value) else None for name, value in figures.items()}
    return Grade(horizon, worst if missed else "A", tuple(missed), rung, cutoffs, rules, told)


def _rules(frame: pd.DataFrame, quantiles: int) -> dict[str, Floats]:
    """What anybody would rank by without a model: later, more often, for more, and the three as quantiles, summed."""
    last = (frame["last_purchase_date"] - frame["last_purchase_date"].min()).dt.days.to_numpy().astype(np.float64)
    alone = {
        "recency": last,
        "frequency": frame["purchase_days"].to_numpy().astype(np.float64),
        "past_value": frame["net_amount"].to_numpy().astype(np.float64),
    }
    worse = [np.searchsorted(np.sort(figure), figure, side="left") for figure in alone.values()]
    return alone | {"rfm_sum": np.sum([1.0 + np.floor(quantiles * found / len(frame)) for found in worse], axis=0)}


def _lift(tests: Sequence[Judged], given: GradeParams) -> tuple[dict[str, float], dict[str, str]]:
    """Means over the cut-offs of the score and of its best rule, what lies between them with its interval, and the best
    rule's name. In each resample the rule that is best there counts: the score has to beat whichever comes first."""
    tests = [fewer(test, given.max_customers) for test in tests]
    weights = resampled([test.customers for test in tests], given.resamples, given.seed)
    names = ("score", *tests[0].rules)
    found = np.array([_measured(test, weight, names) for test, weight in zip(tests, weights, strict=True)])
    means = found.mean(axis=0)  # of shape (measures, rankings, 1 + resamples), the first of them all customers
    figures, rules, lifting = {}, {}, []
    tail = (1.0 - given.interval) / 2.0
    for place, measure in enumerate(MEASURES):
        ahead = means[place, 0] - means[place, 1:].max(axis=0)
        best = int(means[place, 1:, 0].argmax())
        rules[measure] = names[1 + best]
        figures[measure], figures[f"{measure}_rule"] = means[place, 0, 0], means[place, 1 + best, 0]
        figures[f"{measure}_lift"] = ahead[0]
        low, high = np.quantile(ahead[1:], [tail, 1.0 - tail])
        figures |= {f"{measure}_lift_low": low, f"{measure}_lift_high": high}
        lifting.append(found[:, place, 0, 0] > found[:, place, 1 + best, 0])
    figures["auc_range"] = np.ptp(found[:, 0, 0, 0])
    figures["lifting_share"] = float(np.mean(np.all(lifting, axis=0)))
    return {name: float(value) for name, value in figures.items()}, rules


def calibration(tests: Sequence[Judged], bins: int) -> dict[str, float]:
    """Of the rows of all cut-offs together."""
    predicted = np.concatenate([test.inactive for test in tests])
    table = calibration_table(predicted, np.concatenate([test.count == 0 for test in tests]).astype(np.float64), bins)
    gaps = (table["predicted"] - table["observed"]).abs() * table["customers"]
    sums = {
        name: [sum(float(getattr(test, part).sum()) for test in tests) for part in (f"expected_{name}", name)]
        for name in ("count", "value")
    }
    biases = {f"{name}_bias": of_score / came for name, (of_score, came) in sums.items()}
    return {"ece": float(gaps.sum() / len(predicted)), **biases}


def _is_level(bias: float, limit: float) -> bool:
    return bias > 0 and abs(log(bias)) <= limit


def fewer(test: Judged, most: int) -> Judged:
    """Those whose ids have the smallest hashes, so that the same customers stand at every cut-off."""
    if len(test.customers) <= most:
        return test
    hashes = [sha256(customer.encode()).digest() for customer in test.customers]
    kept = np.sort(np.array(sorted(range(len(hashes)), key=hashes.__getitem__)[:most]))
    arrays = {name: value[kept] for name, value in vars(test).items() if isinstance(value, np.ndarray)}
    rules = {name: value[kept] for name, value in test.rules.items()}
    customers = tuple(test.customers[place] for place in kept)
    return Judged(test.cutoff, test.rung, customers, **arrays, rules=rules)


def _measured(test: Judged, weights: Weights, names: Sequence[str]) -> Floats:
    """AUC and Gini of each ranking in each resample, shape (measures, rankings, resamples)."""
    is_active = (test.count > 0).astype(np.float64)
    rankings = [
        (1.0 - test.inactive, test.expected_value),
        *((test.rules[name], test.rules[name]) for name in names[1:]),
    ]
    aucs = [weighted_auc(of_buying, is_active, weights) for of_buying, _ in rankings]
    ginis = weighted_ginis([of_value for _, of_value in rankings], test.value, weights)
    return np.array([aucs, ginis])
