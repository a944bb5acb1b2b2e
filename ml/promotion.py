"""Whether a newly trained model, the challenger, takes the place of the one in use, the champion: the gate.

Judged back-tests and figures in, a verdict with its reasons out. Who is judged at which past cut-off is trial.py's, and
which model speaks for a day store.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from pathlib import Path
from typing import Any

import numpy as np

from ml.btyd import Floats
from ml.grade import FIGURE_DIGITS, Judged, calibration, fewer
from ml.params import PARAMS, PROMOTION, load_part
from ml.resamples import Weights, resampled, weighted_auc, weighted_ginis

# What became of the challenger: there was none before it, it passed, it failed, or nothing could be judged.
FIRST, PROMOTED, KEPT, FORCED = "first", "promoted", "kept", "forced"
# Why nothing was judged, in English and Chinese.
UNJUDGED = {
    "first": ("there was no model in use", "此前没有使用中的模型"),
    "old": ("the model in use was past the age at which one gives way", "使用中的模型已超过使用年限"),
    "horizons": ("the model in use was not made for these horizons", "使用中的模型不适用于这些预测期"),
    "grade": ("whether the scores are believed has changed", "评分的可信等级已改变"),
    "recipe": ("the past of the model in use cannot be learned again", "使用中的模型无法在历史时点上重新学习"),
    "few_cutoffs": ("there are too few past cut-offs to judge by", "可供评判的历史时点太少"),
}
# What a challenger missed.
MISSED = {
    "auc": ("who buys may be told worse", "谁会购买：可能变差"),
    "gain": ("no gain is shown", "未证实有改善"),
    "gini": ("who buys for how much may be told worse", "购买金额：可能变差"),
    "count_bias": ("the number of purchases is further off", "购买次数偏差更大"),
    "value_bias": ("the net sales are further off", "净销售额偏差更大"),
    "ece": ("the probabilities are further off", "概率偏差更大"),
}
SENTENCES = {
    FIRST: ("The first model: {why}.", "首个模型：{why}。"),
    FORCED: ("The new model was taken without being judged: {why}.", "未经评判即启用新模型：{why}。"),
    PROMOTED: (
        "The new model was taken: at {cutoffs} past cut-offs it is shown to be better than the one in use.",
        "已启用新模型：在{cutoffs}个历史时点上证实优于使用中的模型。",
    ),
    KEPT: (
        "The model in use was kept: at {cutoffs} past cut-offs the new one did not pass the gate ({why}).",
        "继续使用原模型：在{cutoffs}个历史时点上新模型未通过检验（{why}）。",
    ),
}


@dataclass(frozen=True)
class PromotionParams:
    """The part ``promotion``; what each stands for is said in ``params.yml``."""

    cutoffs: int
    resamples: int
    interval: float
    seed: int
    max_customers: int
    auc_margin: float
    gini_margin: float
    bias_limit: float
    ece_limit: float
    max_age_days: int


@dataclass(frozen=True)
class Contest:
    """Both models in one horizon. ``cutoffs`` as ISO dates, newest first; ``champion_cutoffs``: up to when what spoke
    for the champion there had learned. ``missed``: names of MISSED; figures end in the challenger's gain over it."""

    horizon: int
    cutoffs: tuple[str, ...]
    champion_cutoffs: tuple[str, ...]
    figures: Mapping[str, float]
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Promotion:
    """What became of a challenger. ``reason``: a name of UNJUDGED, or ``gate``; ``champion``: the version in use
    before; ``contests``: one a horizon where it was judged."""

    verdict: str
    reason: str
    champion: str | None
    contests: tuple[Contest, ...] = ()

    @property
    def sentences(self) -> tuple[str, str]:
        """One plain sentence, in English and Chinese."""
        words = (
            [MISSED[name] for name in held_against(self.contests)] if self.reason == "gate" else [UNJUDGED[self.reason]]
        )
        cutoffs = max((len(contest.cutoffs) for contest in self.contests), default=0)
        english, chinese = SENTENCES[self.verdict]
        why = "; ".join(word[0] for word in words), "；".join(word[1] for word in words)
        return english.format(why=why[0], cutoffs=cutoffs), chinese.format(why=why[1], cutoffs=cutoffs)


def load_promotion_params(path: Path = PARAMS) -> PromotionParams:
    """The part ``promotion`` of a file. Raises ParamsError as ``params.load_params`` does."""
    return load_part(PROMOTION, PromotionParams, path)


def promotion_of(content: Mapping[str, Any]) -> Promotion:
    """Of a mapping, as ``dataclasses.asdict`` and JSON made it."""
    lists = ("cutoffs", "champion_cutoffs", "missed")
    contests = tuple(
        Contest(**contest | {name: tuple(contest[name]) for name in lists}) for contest in content["contests"]
    )
    return Promotion(**dict(content) | {"contests": contests})


def decided(champion: str, contests: Sequence[Contest], given: PromotionParams) -> Promotion:
    """The verdict on a challenger: no worse in any horizon that enough cut-offs tell of, and a gain in one of them."""
    if all(len(contest.cutoffs) < given.cutoffs for contest in contests):
        return Promotion(FORCED, "few_cutoffs", champion, tuple(contests))
    verdict = KEPT if held_against(contests) else PROMOTED
    return Promotion(verdict, "gate", champion, tuple(contests))


def held_against(contests: Sequence[Contest]) -> list[str]:
    """What a challenger misses in any horizon that was judged; the gain only where it is shown in none."""
    judged = [set(contest.missed) for contest in contests if contest.figures]
    is_gained = any("gain" not in missed for missed in judged)
    return [name for name in MISSED if any(name in missed for missed in judged) and not (name == "gain" and is_gained)]


def contest(
    pairs: Sequence[tuple[Judged, Judged]], horizon: int, learned: Sequence[str], bins: int, given: PromotionParams
) -> Contest:
    """Challenger and champion at cut-offs where both judge the same customers, and where something came and something
    did not. ``learned``: the ``champion_cutoffs``; ``bins``: of the calibration table."""
    telling = [place for place, pair in enumerate(pairs) if _is_telling(pair)][: given.cutoffs]
    cutoffs = tuple(pairs[place][0].cutoff.isoformat() for place in telling)
    by = tuple(learned[place] for place in telling)
    if len(telling) < given.cutoffs:
        return Contest(horizon, cutoffs, by, {}, ())
    figures = _figures([pairs[place] for place in telling], bins, given)
    return Contest(horizon, cutoffs, by, figures, missed(figures, given))


def missed(figures: Mapping[str, float], given: PromotionParams) -> tuple[str, ...]:
    """The limits of the gate that a challenger does not keep; a figure that is not a number keeps none."""
    auc, brier, gini = (figures[name] for name in ("auc_gain_low", "brier_gain_high", "gini_gain_low"))
    kept = {"auc": auc > -given.auc_margin, "gain": brier < 0 or auc > 0, "gini": gini > -given.gini_margin}
    for name in ("count_bias", "value_bias"):
        off, limit = _off(figures[name]), max(given.bias_limit, _off(figures[f"champion_{name}"]))
        kept[name] = off < inf and off <= limit
    kept["ece"] = figures["ece"] <= max(given.ece_limit, figures["champion_ece"])
    return tuple(name for name, is_kept in kept.items() if not is_kept)


def _is_telling(pair: tuple[Judged, Judged]) -> bool:
    challenger, champion = pair
    said = np.stack([getattr(one, f"expected_{name}") for one in pair for name in ("count", "value")])
    is_said = np.isfinite(np.vstack([said, challenger.inactive, champion.inactive])).all()
    bought = int((challenger.count > 0).sum())
    return bool(is_said) and 0 < bought < len(challenger.customers) and challenger.value.sum() > 0


def _figures(pairs: Sequence[tuple[Judged, Judged]], bins: int, given: PromotionParams) -> dict[str, float]:
    """AUC and Gini are means over the cut-offs, Brier score and calibration of all rows together. What the challenger
    gains has its interval from the same resamples of customers for both."""
    pairs = [(fewer(pair[0], given.max_customers), fewer(pair[1], given.max_customers)) for pair in pairs]
    weights = resampled([challenger.customers for challenger, _ in pairs], given.resamples, given.seed)
    found = np.array([_measured(pair, weight) for pair, weight in zip(pairs, weights, strict=True)])
    rows = np.array([weight.sum(axis=1) for weight in weights])
    auc, gini = found[:, 0].mean(axis=0), found[:, 1].mean(axis=0)
    brier = (found[:, 2] * rows[:, None]).sum(axis=0) / rows.sum(axis=0)
    figures: dict[str, float] = {}
    tail = (1.0 - given.interval) / 2.0
    for name, both in (("auc", auc), ("gini", gini), ("brier", brier)):
        gain = both[0] - both[1]
        low, high = np.quantile(gain[1:], [tail, 1.0 - tail])
        figures |= {name: both[0, 0], f"champion_{name}": both[1, 0], f"{name}_gain": gain[0]}
        figures |= {f"{name}_gain_low": low, f"{name}_gain_high": high}
    for prefix, side in (("", 0), ("champion_", 1)):
        told = calibration([pair[side] for pair in pairs], bins)
        figures |= {f"{prefix}{name}": value for name, value in told.items()}
    return {name: round(float(value), FIGURE_DIGITS) for name, value in figures.items()}


def _measured(pair: tuple[Judged, Judged], weights: Weights) -> Floats:
    """AUC, Gini and Brier score of both in each resample, shape (measures, 2, resamples)."""
    is_active, value = (pair[0].count > 0).astype(np.float64), pair[0].value
    aucs = [weighted_auc(1.0 - one.inactive, is_active, weights) for one in pair]
    ginis = weighted_ginis([one.expected_value for one in pair], value, weights)
    errors = [weights @ (1.0 - is_active - one.inactive) ** 2 / weights.sum(axis=1) for one in pair]
    return np.array([aucs, ginis, errors])


def _off(bias: float) -> float:
    """|log| of what was predicted / what came; without end where nothing was predicted."""
    return abs(log(bias)) if 0 < bias < inf else inf
